namespace Appc.Signing.Store;

/// <summary>Reads a stream to its end, but no further than a bound.</summary>
internal static class CappedReader
{
    /// <returns>The bytes; null if there are more than the bound.</returns>
    public static async Task<byte[]?> ReadAsync(Stream stream, int limit, CancellationToken cancellationToken)
    {
        if (stream is MemoryStream { Length: var length, Position: 0 } whole)
        {
            // Read already.
            cancellationToken.ThrowIfCancellationRequested();
            return length <= limit ? whole.ToArray() : null;
        }

        using var content = new MemoryStream();
        byte[] buffer = new byte[Math.Min(16384, limit + 1)];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (content.Length + read > limit)
            {
                return null;
            }

            content.Write(buffer, 0, read);
        }

        return content.ToArray();
    }
}
