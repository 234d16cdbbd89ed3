namespace Appc.Trust;

/// <summary>One check of one detached signature file over one stream of bytes. Not thread safe.</summary>
public interface ISignatureCheck : IDisposable
{
    /// <summary>Takes the next bytes of the signed file (the archive as it lies on disk, compressed or not).</summary>
    void Append(ReadOnlySpan<byte> data);

    /// <summary>Says who signed the bytes that were appended.</summary>
    /// <exception cref="TrustException">No acceptable signature of a trusted key covers these bytes.</exception>
    SignatureVerdict Complete();
}
