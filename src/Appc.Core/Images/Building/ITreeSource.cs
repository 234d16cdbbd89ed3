using Appc.Images.Tar;

namespace Appc.Images.Building;

/// <summary>Gives the entries of a directory, parents first, names in the order of their bytes.</summary>
internal interface ITreeSource
{
    /// <summary>
    /// Calls back for every entry, the directory itself first, with names as they stand in an image
    /// (<c>rootfs/...</c>). The stream has a regular file's content and lives for the length of the call.
    /// </summary>
    void Walk(Action<TarEntry, Stream?> take);
}
