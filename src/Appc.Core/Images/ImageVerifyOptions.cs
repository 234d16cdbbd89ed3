using Appc.Trust;

namespace Appc.Images;

/// <summary>What is looked at when stored images are verified.</summary>
public sealed class ImageVerifyOptions
{
    /// <summary>What must be proven about who signed.</summary>
    /// <value>
    /// The default value asks for a signature that is good with today's keys, where the store has a verifier.
    /// <see cref="TrustPolicy.Insecure"/> looks at the bytes only.
    /// </value>
    public TrustPolicy Trust { get; set; } = TrustPolicy.RequireSignature;

    /// <summary>Whether the images that the image depends on are verified as well.</summary>
    /// <value>The default value is true: what runs is all of them together.</value>
    public bool Dependencies { get; set; } = true;

    /// <summary>Bounds for reading the archives.</summary>
    /// <value>The default value is that of an import; give here what was given there.</value>
    public ArchiveLimits Limits { get; set; } = new();
}
