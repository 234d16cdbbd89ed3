using Appc.Images.Tar;

namespace Appc.Images.Building;

/// <summary>An archive that was checked and decompressed into a file, so that its contents can be taken in another order.</summary>
internal sealed class UnpackedArchive : IDisposable
{
    private readonly FileStream _tar;

    private UnpackedArchive(FileStream tar) => _tar = tar;

    /// <summary>The manifest's bytes.</summary>
    public byte[] ManifestBytes { get; private set; } = [];

    /// <summary>The manifest's entry: owner, mode and time.</summary>
    public TarEntry ManifestEntry { get; private set; } = null!;

    /// <summary>Reads an archive whole, and puts its entries into a tree.</summary>
    /// <param name="archive">The archive, seekable.</param>
    /// <param name="directory">Where the decompressed archive is kept, without a name once it is open.</param>
    /// <param name="limits">Bounds on the archive.</param>
    /// <param name="tree">Takes the entries.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public static UnpackedArchive Read(Stream archive, string directory, ArchiveLimits limits, EntryTree tree, CancellationToken cancellationToken)
    {
        UnpackedArchive unpacked = new(CreateFile(directory));
        try
        {
            using ArchivePipeline pipeline = new(archive, limits, null, cancellationToken);
            TarReader tar = new(new CopyingSource(pipeline, unpacked._tar), limits);
            AciReader reader = new(tar, new Collector(unpacked._tar, tree), limits);
            reader.Read();
            unpacked.ManifestBytes = reader.ManifestBytes;
            unpacked.ManifestEntry = reader.ManifestEntry!;
            return unpacked;
        }
        catch
        {
            unpacked.Dispose();
            throw;
        }
    }

    public void Dispose() => _tar.Dispose();

    private static FileStream CreateFile(string directory)
    {
        FileStreamOptions options = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            Options = FileOptions.DeleteOnClose,
            BufferSize = 0,
        };
        if (OperatingSystem.IsWindows())
        {
            return new FileStream(Path.Combine(directory, $".appc-{Guid.NewGuid():N}"), options);
        }

        // Open without a name: whatever ends this process, no file stays.
        options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        FileStream file = new(Path.Combine(directory, $".appc-{Guid.NewGuid():N}"), options);
        File.Delete(file.Name);
        return file;
    }

    /// <summary>Keeps every block that is read.</summary>
    private sealed class CopyingSource(IByteSource source, FileStream copy) : IByteSource
    {
        public ReadOnlyMemory<byte> Next()
        {
            ReadOnlyMemory<byte> block = source.Next();
            copy.Write(block.Span);
            return block;
        }
    }

    /// <summary>Remembers where the content of each entry lies.</summary>
    private sealed class Collector(FileStream tar, EntryTree tree) : ITreeSink
    {
        private readonly LayoutChecker _layout = new();

        public void SetRoot(TarEntry entry)
        {
            _layout.SetRoot(entry);
            tree.Keep([], entry, [], null);
        }

        public void Add(byte[] path, TarEntry entry, byte[] target, TarReader data)
        {
            _layout.Check(path, entry, target);
            long start = data.Position;
            IReadOnlyList<TarSegment> segments = entry.Segments ?? [new TarSegment(0, entry.Length)];
            tree.Keep(path, entry, target, entry.Type == TarEntryType.File ? () => new SegmentStream(tar, start, segments, entry.Length) : null);
        }

        public void Complete()
        {
        }
    }
}
