using Appc.Trust;

namespace Appc.Pods;

/// <summary>What is said about a prepared pod only when it is started.</summary>
public sealed class RunPreparedOptions
{
    /// <summary>What must be proven about its images.</summary>
    /// <value>The default value is <see langword="null"/>: what was asked when the pod was prepared.</value>
    public TrustPolicy? Trust { get; set; }

    /// <summary>
    /// Listening sockets of this process that apps of the pod are handed, as those of <see cref="PodSpec.Sockets"/> are of a pod that is run
    /// at once.
    /// </summary>
    public IList<PodSocket> Sockets { get; } = [];
}
