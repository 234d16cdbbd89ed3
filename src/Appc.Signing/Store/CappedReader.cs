namespace Appc.Signing.Store;

/// <summary>Reads a stream to its end, but no further than a bound.</summary>
internal static class CappedReader
{
    private const int Smallest = 512;
    private const int Largest = 16 * 1024;

    /// <returns>The bytes; null if there are more than the bound.</returns>
    public static async Task<byte[]?> ReadAsync(Stream stream, int limit, CancellationToken cancellationToken)
    {
        // Most signatures are a few hundred bytes.
        int expected = stream.CanSeek ? (int)Math.Clamp(stream.Length - stream.Position + 1, Smallest, Largest) : Largest;
        using var content = new MemoryStream();
        byte[] buffer = new byte[Math.Min(expected, limit + 1)];
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
