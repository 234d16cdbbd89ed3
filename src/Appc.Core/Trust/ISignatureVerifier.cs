using Appc.Manifests;

namespace Appc.Trust;

/// <summary>
/// Decides who signed an image and whether that key is trusted for it. Appc.Core holds no cryptography:
/// Appc.Signing implements this with OpenPGP, and a host may bring its own.
/// </summary>
public interface ISignatureVerifier
{
    /// <summary>
    /// Reads a detached signature and prepares to check it over bytes that arrive later, so that a download
    /// is hashed in the same pass. Fails early when nothing that follows could make the signature acceptable.
    /// </summary>
    /// <param name="signature">The detached signature, armored or binary, read to its end.</param>
    /// <param name="imageName">
    /// The name under which the image was asked for; null when only its manifest will tell
    /// (a file or a URL), in which case the keys of every scope are candidates.
    /// </param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="TrustException">The signature is malformed, or no trusted key can have made it.</exception>
    Task<ISignatureCheck> BeginAsync(Stream signature, AcIdentifier? imageName, CancellationToken cancellationToken = default);
}
