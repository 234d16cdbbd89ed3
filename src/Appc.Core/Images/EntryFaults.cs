using Appc.Images.Tar;

namespace Appc.Images;

/// <summary>What can be wrong with an entry beside others, in one place so that all readers say it alike.</summary>
internal static class EntryFaults
{
    public static ImageException Duplicate(TarEntry entry) => Bad(entry, "has a name that was there before");

    public static ImageException MissingTarget(TarEntry entry) =>
        Bad(entry, $"is a hard link to '{ByteText.Show(entry.LinkName)}', which is not in the archive before it");

    public static ImageException TargetIsDirectory(TarEntry entry) =>
        Bad(entry, $"is a hard link to '{ByteText.Show(entry.LinkName)}', which is a directory");

    public static ImageException BelowFile(TarEntry entry) =>
        Bad(entry, "lies below something that is no directory; entries below a symbolic link are refused too");

    public static ImageException Whiteout(TarEntry entry) =>
        Bad(entry, "is the device 0:0, by which overlayfs hides files of lower images");

    public static ImageException OverlayAttribute(TarEntry entry, TarAttribute attribute) =>
        Bad(entry, $"has the extended attribute {ByteText.Show(attribute.Name)}, by which overlayfs hides or redirects files");

    public static ImageException Bad(TarEntry entry, string what) =>
        new(ImageFailure.BadArchive, $"entry '{entry.ShownName}' {what}");
}
