using Appc.Manifests;
using Appc.Trust;

namespace Appc.Fetching;

/// <summary>The detached signature of one archive: read once, used for as many checks as the download needs.</summary>
internal sealed class SignatureSource(HttpTransport http, ISignatureVerifier verifier, TrustPolicy policy, AcIdentifier? name, Uri archive)
{
    /// <summary>Far more than several signatures by the largest keys need.</summary>
    private const int MaxBytes = 1 << 20;

    private byte[]? _bytes;

    /// <summary>A file to read instead of asking a server.</summary>
    public string? FilePath { get; init; }

    /// <summary>The signature's address.</summary>
    public required Uri Url { get; init; }

    public bool AllowHttp { get; init; }

    /// <summary>Reads the signature and starts to check it.</summary>
    /// <param name="last">Whether a server that is still making the signature is waited for, within the limits on repetitions.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The check; null if the server has no signature yet, and this is not the last time it is asked.</returns>
    /// <exception cref="TrustException">No signature in it can satisfy the policy, whatever the bytes are.</exception>
    public async Task<ISignatureCheck?> BeginAsync(bool last, CancellationToken cancellationToken)
    {
        _bytes ??= FilePath is { } path
            ? await ReadFileAsync(path, cancellationToken).ConfigureAwait(false)
            : await http.RetryAsync(token => AskAsync(last, token), cancellationToken).ConfigureAwait(false);
        if (_bytes is null)
        {
            FetchLog.SignatureDeferred(http.Log, DisplayText.Clean(archive));
            return null;
        }

        using var stream = new MemoryStream(_bytes, writable: false);
        return await SignerCount.BeginAsync(verifier, policy, stream, name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the signature to a file; null if it was never read.</summary>
    public async Task<string?> SaveAsync(string directory, CancellationToken cancellationToken)
    {
        if (_bytes is null)
        {
            return null;
        }

        string path = Path.Combine(directory, "archive.aci.asc");
        await File.WriteAllBytesAsync(path, _bytes, cancellationToken).ConfigureAwait(false);
        return path;
    }

    private static async Task<byte[]> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        string shown = DisplayText.Clean(path);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, useAsync: true);
            var bytes = new byte[MaxBytes + 1];
            int length = await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return length <= MaxBytes
                ? bytes[..length]
                : throw new TrustException(TrustFailure.MalformedSignature, $"the signature file {shown} is longer than {MaxBytes} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrustException(TrustFailure.Unsigned, $"cannot read the signature file {shown}: {DisplayText.Clean(e.Message)}", innerException: e);
        }
    }

    private async Task<byte[]?> AskAsync(bool last, CancellationToken cancellationToken)
    {
        try
        {
            return await http.GetDocumentAsync(new HttpAsk(Url) { AllowHttp = AllowHttp }, MaxBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (FetchException e) when (e.StatusCode is 202 && !last)
        {
            return null;
        }
        catch (FetchException e) when (e.StatusCode is 404 or 410)
        {
            throw new TrustException(
                TrustFailure.Unsigned,
                $"{(name is null ? "" : name + ": ")}{DisplayText.Clean(archive)} has no signature: {DisplayText.Clean(Url)} was answered {e.StatusCode}",
                "ask the publisher for a signature, give a signature file, or allow an unsigned image for this one call (the insecure option image)",
                e);
        }
    }
}
