namespace Appc.Trust;

/// <summary>What must be proven about an image before it is stored or run.</summary>
public sealed record TrustPolicy
{
    /// <summary>A good signature by a key that is trusted for the image's name. The default everywhere.</summary>
    public static TrustPolicy RequireSignature { get; } = new() { SignatureRequired = true };

    /// <summary>
    /// No signature is asked for. Meant for single calls; each use is logged as a warning and remembered
    /// in the image's provenance.
    /// </summary>
    public static TrustPolicy Insecure { get; } = new() { SignatureRequired = false };

    /// <summary>Whether a trusted signature is required.</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool SignatureRequired { get; init; } = true;
}
