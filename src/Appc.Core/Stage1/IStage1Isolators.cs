using Appc.Manifests;

namespace Appc.Stage1;

/// <summary>
/// A flavour for which it depends on the host and the pod what it enforces out of <see cref="Stage1Features.EnforcedIsolators"/>.
/// Implemented beside <see cref="IStage1"/>.
/// </summary>
public interface IStage1Isolators
{
    /// <summary>Finds the isolators of a pod that cannot be enforced here, for the whole pod and for its apps. Changes nothing.</summary>
    /// <param name="manifest">The reified manifest.</param>
    /// <param name="options">What the pod is asked to be beyond it.</param>
    /// <param name="mutable">Whether apps come and go while the pod runs.</param>
    IReadOnlyList<UnenforcedIsolator> FindUnenforced(PodManifest manifest, Stage1Options options, bool mutable = false);
}
