namespace Appc.Cli.Commands;

/// <summary>Reads files that the user names; <c>-</c> is standard input.</summary>
internal static class InputFiles
{
    private const int ManifestBytes = 4 << 20;

    public static Stream Open(string path) => path == "-"
        ? Console.OpenStandardInput()
        : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);

    public static async Task<byte[]> ReadManifestAsync(string path, CancellationToken cancellationToken)
    {
        await using Stream file = Open(path);
        return await ReadManifestAsync(file, path, cancellationToken);
    }

    public static async Task<byte[]> ReadManifestAsync(Stream stream, string path, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        while (await stream.ReadAsync(buffer, cancellationToken) is > 0 and int count)
        {
            content.Write(buffer, 0, count);
            if (content.Length > ManifestBytes)
            {
                throw new AppcException($"{path}: larger than a manifest may be ({ManifestBytes >> 20} MiB)");
            }
        }

        return content.ToArray();
    }
}
