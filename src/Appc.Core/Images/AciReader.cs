using Appc.Images.Tar;
using Appc.Manifests;

namespace Appc.Images;

/// <summary>The layout of an image archive: a file <c>manifest</c> and a directory <c>rootfs</c>, nothing else, nothing twice.</summary>
internal sealed class AciReader(TarReader tar, ITreeSink sink, ArchiveLimits limits, Action<ImageManifest>? onManifest = null)
{
    private bool _hasRoot;
    private bool _hasManifestEntry;

    /// <summary>The manifest's bytes.</summary>
    public byte[] ManifestBytes { get; private set; } = [];

    /// <summary>The manifest's entry; null until it was met.</summary>
    public TarEntry? ManifestEntry { get; private set; }

    /// <summary>The manifest; null until it was met.</summary>
    public ImageManifest? Manifest { get; private set; }

    /// <summary>Number of entries.</summary>
    public long Entries { get; private set; }

    /// <summary>Told what is wrong with single entries, which are then passed over; null makes the first fault the end.</summary>
    public Action<AciFinding>? OnFinding { get; init; }

    /// <summary>Reads the archive to its end and returns the manifest.</summary>
    public ImageManifest Read()
    {
        while (tar.Next() is { } entry)
        {
            Entries++;
            try
            {
                Take(entry);
            }
            catch (Exception e) when (OnFinding is not null && e is (ManifestException or ImageException { Failure: ImageFailure.BadArchive }))
            {
                // A pipeline that failed fails again at the next entry.
                OnFinding(new AciFinding(e.Message, entry.ShownName, entry.Offset));
            }
        }

        tar.Drain();
        if (Manifest is null)
        {
            throw Bad(_hasManifestEntry ? "its manifest is not valid" : "it has no manifest", "an image has a file named manifest beside its rootfs");
        }

        if (!_hasRoot)
        {
            throw Bad("it has no entry for rootfs", "an image has a directory named rootfs, with an entry of its own");
        }

        sink.Complete();
        return Manifest;
    }

    private void Take(TarEntry entry)
    {
        byte[] path = EntryPath.Clean(entry.Name);
        if (entry.Type != TarEntryType.Directory && entry.Name[^1] == (byte)'/')
        {
            throw Bad($"entry '{entry.ShownName}' is no directory and yet ends in a slash");
        }

        int slash = path.AsSpan().IndexOf((byte)'/');
        ReadOnlySpan<byte> top = slash < 0 ? path : path.AsSpan(0, slash);
        if (path.Length == 0)
        {
            if (entry.Type != TarEntryType.Directory)
            {
                throw Bad($"entry '{entry.ShownName}' stands for the top of the archive and is no directory");
            }
        }
        else if (top.SequenceEqual("rootfs"u8))
        {
            TakeTree(path, slash, entry);
        }
        else if (path.AsSpan().SequenceEqual("manifest"u8))
        {
            TakeManifest(entry);
        }
        else
        {
            throw Bad($"entry '{entry.ShownName}' is outside rootfs", "only manifest and rootfs may stand at the top of an image");
        }
    }

    private void TakeTree(byte[] path, int slash, TarEntry entry)
    {
        if (slash < 0)
        {
            if (entry.Type != TarEntryType.Directory)
            {
                throw Bad("its rootfs is not a directory");
            }

            if (_hasRoot)
            {
                throw Bad("it has two entries for rootfs");
            }

            _hasRoot = true;
            sink.SetRoot(entry);
            return;
        }

        byte[] target = [];
        if (entry.Type == TarEntryType.HardLink)
        {
            target = EntryPath.Clean(entry.LinkName, entry.Name);
            if (!target.AsSpan().StartsWith("rootfs/"u8))
            {
                throw Bad($"entry '{entry.ShownName}' is a hard link to something outside rootfs");
            }

            target = target[7..];
        }
        else if (entry.Type == TarEntryType.SymbolicLink && (entry.LinkName.Length == 0 || entry.LinkName.AsSpan().Contains((byte)0)))
        {
            throw Bad($"entry '{entry.ShownName}' is a symbolic link without a proper target");
        }

        sink.Add(path[(slash + 1)..], entry, target, tar);
    }

    private void TakeManifest(TarEntry entry)
    {
        if (entry.Type != TarEntryType.File || entry.Segments is not null)
        {
            throw Bad("its manifest is not a regular file");
        }

        if (_hasManifestEntry)
        {
            throw Bad("it has two manifests");
        }

        _hasManifestEntry = true;

        if (entry.Length > limits.ManifestBytes)
        {
            throw new ImageException(ImageFailure.LimitExceeded, $"its manifest is larger than {limits.ManifestBytes} bytes");
        }

        byte[] bytes = new byte[entry.Length];
        int filled = 0;
        while (filled < bytes.Length)
        {
            ReadOnlySpan<byte> data = tar.ReadData();
            data.CopyTo(bytes.AsSpan(filled));
            filled += data.Length;
        }

        ManifestBytes = bytes;
        ManifestEntry = entry;
        Manifest = ImageManifest.Parse(bytes);
        onManifest?.Invoke(Manifest);
    }

    private static ImageException Bad(string message, string? hint = null) => new(ImageFailure.BadArchive, message, hint);
}
