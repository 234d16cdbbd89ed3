using Appc.Images.Tar;

namespace Appc.Images;

/// <summary>Takes the entries of an image's tree in the archive's order: writes them, or only looks whether they fit together.</summary>
internal interface ITreeSink
{
    /// <summary>The tree's own directory, once.</summary>
    void SetRoot(TarEntry entry);

    /// <summary>One entry.</summary>
    /// <param name="path">Clean path below the tree.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="target">Clean path below the tree that a hard link leads to; empty for other entries.</param>
    /// <param name="data">Gives a file's content.</param>
    void Add(byte[] path, TarEntry entry, byte[] target, TarReader data);

    /// <summary>All entries were given.</summary>
    void Complete();
}
