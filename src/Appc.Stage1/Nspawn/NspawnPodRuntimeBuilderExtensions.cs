using Appc.Pods;

namespace Appc.Stage1.Nspawn;

/// <summary>Adds the nspawn flavour to a runtime.</summary>
public static class NspawnPodRuntimeBuilderExtensions
{
    /// <summary>Adds the flavour that runs systemd inside systemd-nspawn.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="options">Options; null for the defaults.</param>
    public static PodRuntimeBuilder UseNspawn(this PodRuntimeBuilder builder, NspawnOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseStage1(b => new NspawnStage1(options, b.LoggerFactory, b.TimeProvider));
    }
}
