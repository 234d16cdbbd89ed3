namespace Appc.Signing;

/// <summary>
/// Makes detached OpenPGP signatures: with a key file (<see cref="KeyFileSigner"/>), with gpg and thus its agent
/// and its smart cards (<see cref="GpgSigner"/>), or with whatever a host brings, such as a hardware module.
/// </summary>
public interface IDetachedSigner
{
    /// <summary>Signs a stream of bytes.</summary>
    /// <param name="content">The bytes, read to their end.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The signature over the bytes as they are (type 0), in armor.</returns>
    /// <exception cref="Appc.Trust.TrustException">The key cannot be used.</exception>
    Task<string> SignAsync(Stream content, CancellationToken cancellationToken = default);
}
