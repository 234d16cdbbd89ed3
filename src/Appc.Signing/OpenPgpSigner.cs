using System.Text;
using Appc.Signing.Packets;
using Appc.Signing.Store;
using Appc.Trust;

namespace Appc.Signing;

/// <summary>Signs image archives: the signature lies beside the archive, which stays as it is. Thread safe.</summary>
public static class OpenPgpSigner
{
    /// <summary>Signs an archive with a secret key from a file.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="keyFile">The secret key, armored or binary.</param>
    /// <param name="passphrase">What protects the key; null or empty if nothing does.</param>
    /// <param name="outputPath">Where the signature goes; null or empty for the archive's path with <c>.asc</c> added.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The path of the signature. A file that was there is replaced as a whole.</returns>
    /// <exception cref="TrustException">The key cannot be used.</exception>
    /// <exception cref="IOException">The archive cannot be read, or the signature cannot be written.</exception>
    public static async Task<string> SignFileAsync(
        string path, string keyFile, string? passphrase = null, string? outputPath = null, CancellationToken cancellationToken = default)
    {
        KeyFileSigner signer = await KeyFileSigner.LoadAsync(keyFile, passphrase, null, cancellationToken).ConfigureAwait(false);
        return await SignFileAsync(path, signer, outputPath, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Signs an archive with a signer of the caller's choice.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="signer">What signs.</param>
    /// <param name="outputPath">Where the signature goes; null or empty for the archive's path with <c>.asc</c> added.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The path of the signature. A file that was there is replaced as a whole.</returns>
    /// <exception cref="TrustException">The key cannot be used, or the signer returned something else than a signature.</exception>
    /// <exception cref="IOException">The archive cannot be read, or the signature cannot be written.</exception>
    public static async Task<string> SignFileAsync(
        string path, IDetachedSigner signer, string? outputPath = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(signer);
        string output = string.IsNullOrEmpty(outputPath) ? path + ".asc" : outputPath;
        if (Path.GetFullPath(output) == Path.GetFullPath(path))
        {
            throw new ArgumentException("the signature would replace the archive", nameof(outputPath));
        }

        string signature;
        var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using (content.ConfigureAwait(false))
        {
            signature = await signer.SignAsync(content, cancellationToken).ConfigureAwait(false);
        }

        byte[] bytes = Encoding.ASCII.GetBytes(signature);
        RequireSignature(bytes);
        await AtomicFile.WriteAsync(output, bytes, cancellationToken).ConfigureAwait(false);
        return output;
    }

    private static void RequireSignature(byte[] bytes)
    {
        try
        {
            foreach (Packet packet in Packet.ReadAll(Armor.Open(bytes, Armor.Signature)))
            {
                SignaturePacket.Read(packet.Body);
            }
        }
        catch (MalformedPacketException e)
        {
            throw new TrustException(TrustFailure.MalformedSignature, $"the signer returned something that is no signature: {e.Message}");
        }
    }
}
