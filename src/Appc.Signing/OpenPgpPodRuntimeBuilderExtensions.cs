using Appc.Pods;

namespace Appc.Signing;

/// <summary>Adds OpenPGP verification to a runtime.</summary>
public static class OpenPgpPodRuntimeBuilderExtensions
{
    /// <summary>
    /// Verifies signatures against the keys of the host: <see cref="KeystoreOptions.LocalDirectory"/> and
    /// <see cref="KeystoreOptions.VendorDirectory"/>.
    /// </summary>
    /// <param name="builder">The builder of the runtime.</param>
    /// <param name="options">Where keys are kept and what is asked of them; null for the defaults.</param>
    public static PodRuntimeBuilder UseOpenPgp(this PodRuntimeBuilder builder, KeystoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        KeystoreOptions chosen = options ?? new KeystoreOptions();
        return builder.UseVerifier(b => new OpenPgpVerifier(
            new Keystore(chosen, b.LoggerFactory, b.TimeProvider), chosen.Policy, b.LoggerFactory, b.TimeProvider));
    }
}
