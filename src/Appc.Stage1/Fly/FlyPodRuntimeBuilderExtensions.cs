using Appc.Pods;

namespace Appc.Stage1.Fly;

/// <summary>Adds the fly flavour to a runtime.</summary>
public static class FlyPodRuntimeBuilderExtensions
{
    /// <summary>Adds the flavour that executes one app directly, in namespaces of its own.</summary>
    public static PodRuntimeBuilder UseFly(this PodRuntimeBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseStage1(static b => new FlyStage1(b.LoggerFactory, b.TimeProvider));
    }
}
