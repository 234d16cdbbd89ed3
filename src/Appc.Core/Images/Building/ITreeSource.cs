namespace Appc.Images.Building;

/// <summary>Gives the entries of a tree, parents first, in the order of <see cref="TreeOrder"/>.</summary>
internal interface ITreeSource
{
    /// <summary>
    /// Calls back for every entry, the directory itself first, with names as they stand in an image
    /// (<c>rootfs/...</c>). The stream has a regular file's content and lives for the length of the call.
    /// </summary>
    void Walk(Action<Tar.TarEntry, Stream?> take);
}
