using Appc.Pods;
using Appc.Trust;

namespace Appc.Testing;

/// <summary>How a pod of a test is started, and when it counts as ready.</summary>
public sealed class TestPodOptions
{
    /// <summary>
    /// The data directory, shared by all tests that name it: an image is stored once. What test runs that were killed left in
    /// it is removed by the next one.
    /// </summary>
    /// <value>The default value is <c>appc-tests</c> in the directory for temporary files.</value>
    public string Root { get; set; } = Path.Combine(Path.GetTempPath(), "appc-tests");

    /// <summary>Puts the runtime together. Give a verifier of signatures here, unless <see cref="Trust"/> does without.</summary>
    /// <value>The default value adds the nspawn flavour.</value>
    public Action<PodRuntimeBuilder> Configure { get; set; } = static builder => Stage1.Nspawn.NspawnPodRuntimeBuilderExtensions.UseNspawn(builder);

    /// <summary>What must be proven about the image.</summary>
    /// <value>The default value is null: a signature by a trusted key. An image that the tests have just built needs <see cref="TrustPolicy.Insecure"/>.</value>
    public TrustPolicy? Trust { get; set; }

    /// <summary>Changes the pod before it is made: arguments, environment, volumes.</summary>
    public Action<PodSpec>? Change { get; set; }

    /// <summary>TCP ports of the pod that are mapped to free ports of this host, and must accept connections.</summary>
    /// <value>By default those that the apps' images declare.</value>
    public IList<int> Ports { get; } = [];

    /// <summary>Text that an app must have written to its standard output or error.</summary>
    /// <value>The default value is null: none.</value>
    public string? ReadyOutput { get; set; }

    /// <summary>How long the pod has to become ready.</summary>
    /// <value>The default value is one minute.</value>
    public TimeSpan ReadyTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the apps have to stop by themselves when the test is over.</summary>
    /// <value>The default value is two seconds.</value>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(2);
}
