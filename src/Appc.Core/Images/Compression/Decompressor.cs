using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images.Compression;

/// <summary>Chooses the decompressor by what the file holds, never by its name.</summary>
internal static class Decompressor
{
    private const string NotAnImageHint = "an image is a tar archive, plain or compressed with gzip, bzip2 or xz";

    /// <summary>Looks at the first bytes of a file.</summary>
    /// <exception cref="ImageException">It is no archive of a format that images have, or of one that is not allowed.</exception>
    public static IDecompressor Open(ArchiveInput input, ArchiveLimits limits)
    {
        Span<byte> start = stackalloc byte[TarFormat.BlockSize];
        start = start[..input.Peek(start)];
        if (start.IsEmpty)
        {
            throw new ImageException(ImageFailure.BadArchive, "it is empty", NotAnImageHint);
        }

        if (start.Length >= 2 && start[0] == 0x1f && start[1] == 0x8b)
        {
            return new GzipDecompressor(input);
        }

        if (start.StartsWith("BZh"u8))
        {
            return new Bzip2Decompressor(input);
        }

        if (start.Length >= 6 && start[0] == 0xfd && start[1..].StartsWith("7zXZ\0"u8))
        {
            return Liblzma.IsAvailable ? new XzDecompressor(input) : new ManagedXzDecompressor(input);
        }

        if (ZstdDecompressor.IsFrame(start))
        {
            return limits.AllowZstd
                ? new ZstdDecompressor(input)
                : throw new ImageException(
                    ImageFailure.BadArchive,
                    "it is compressed with zstd, which the App Container specification does not know",
                    "allow it for this call (AllowZstd of ArchiveLimits; appc fetch --allow-zstd), or compress it anew: zstd -dc FILE | gzip > FILE.aci");
        }

        if (start.Length == TarFormat.BlockSize && TarFormat.HasValidChecksum(start) && start.IndexOfAnyExcept((byte)0) >= 0)
        {
            return new PlainDecompressor(input);
        }

        string looksLike = start[0] switch
        {
            (byte)'<' => "; it looks like a web page",
            (byte)'{' => "; it looks like a JSON document",
            (byte)'P' when start.StartsWith("PK"u8) => "; it looks like a zip file",
            _ => "",
        };
        throw new ImageException(ImageFailure.BadArchive, "it is neither a tar archive nor one compressed with gzip, bzip2 or xz" + looksLike, NotAnImageHint);
    }
}
