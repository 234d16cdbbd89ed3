namespace Appc.Images.Compression;

/// <summary>What can be wrong with xz data, in one place so that both decoders say it alike.</summary>
internal static class XzFaults
{
    public static ImageException Damaged() => new(ImageFailure.BadArchive, "its xz data is damaged or cut off");

    public static ImageException Memory() =>
        new(ImageFailure.LimitExceeded, "its xz data needs more than 100 MiB of memory", "compress it with xz -9 or less");

    public static ImageException Check() =>
        new(ImageFailure.BadArchive, "its xz data has a kind of checksum that nobody knows", "compress it with --check=crc64 or --check=sha256");

    public static ImageException Filter(ulong id) => new(
        ImageFailure.BadArchive,
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"its xz data went through the filter 0x{id:x}, which needs the library liblzma"),
        "install it (apt install liblzma5), or compress the archive without filters: xz -6");
}
