namespace Appc.Trust;

/// <summary>One check of one detached signature file over one stream of bytes. Not thread safe.</summary>
public interface ISignatureCheck : IDisposable
{
    /// <summary>
    /// Who signed, if the signatures fit the bytes: all that was known before these is checked. What is stored was
    /// compared with its bytes once, so this is what tells whether its signers would still be accepted. Never empty.
    /// </summary>
    IReadOnlyList<SignatureSigner> Candidates { get; }

    /// <summary>Takes the next bytes of the signed file (the archive as it lies on disk, compressed or not).</summary>
    /// <param name="data">The bytes; they are the caller's again when this returns.</param>
    void Append(ReadOnlyMemory<byte> data);

    /// <summary>Says who signed the bytes that were appended.</summary>
    /// <exception cref="TrustException">No acceptable signature of a trusted key covers these bytes.</exception>
    SignatureVerdict Complete();
}
