namespace Appc.Signing;

/// <summary>What is asked of keys and signatures beyond being genuine.</summary>
/// <remarks>
/// The rest is not for choice: SHA-256, SHA-384 and SHA-512 are the only hashes, expired or revoked keys
/// are never accepted, and every right of a key must be stated by a signature of its primary key.
/// </remarks>
public sealed class OpenPgpPolicy
{
    /// <summary>Whether DSA keys of 2048 bits and more are accepted.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool AllowDsa { get; set; }

    /// <summary>The least size of an RSA modulus, in bits.</summary>
    /// <value>The default value is 2048.</value>
    public int MinimumRsaBits { get; set; } = 2048;

    /// <summary>How far the clocks of signer and verifier may be apart before a signature counts as made in the future.</summary>
    /// <value>The default value is 5 minutes.</value>
    public TimeSpan ClockTolerance { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The largest signature file, in bytes.</summary>
    /// <value>The default value is 1 MiB.</value>
    public int SignatureBytes { get; set; } = 1 << 20;

    /// <summary>The most signatures in one file.</summary>
    /// <value>The default value is 32.</value>
    public int SignatureCount { get; set; } = 32;
}
