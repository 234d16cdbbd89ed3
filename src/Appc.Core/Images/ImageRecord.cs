using Appc.Linux;
using Appc.Manifests;

namespace Appc.Images;

/// <summary>Reads what the store knows of an image.</summary>
internal static unsafe class ImageRecord
{
    /// <summary>An image; null if it is not there, or goes while it is read.</summary>
    /// <exception cref="ImageException">Its files are damaged.</exception>
    public static StoredImage? TryLoad(StoreLayout layout, ImageId id)
    {
        if (!OperatingSystem.IsLinux())
        {
            return TryLoadByPath(layout, id);
        }

        try
        {
            using Fd? images = OpenDirectory(null, layout.Images);
            return images is null ? null : TryLoad(layout, images, id);
        }
        catch (ErrnoException e)
        {
            throw Damaged(id, layout.Image(id), e);
        }
    }

    /// <summary>As the other one, beneath the open directory of all images: a list of many looks their path up once.</summary>
    public static StoredImage? TryLoad(StoreLayout layout, Fd images, ImageId id)
    {
        string name = id.ToString();
        try
        {
            while (true)
            {
                using Fd? directory = OpenDirectory(images, name);
                if (directory is null)
                {
                    return null;
                }

                try
                {
                    return Load(layout, directory, id);
                }
                catch (ErrnoException e) when (e.Number == Errno.ENOENT)
                {
                    // Removed, and perhaps imported again, since it was opened: then what lies there now counts.
                    using Fd? now = OpenDirectory(images, name);
                    if (now is not null && now.Stat().IsSameFile(directory.Stat()))
                    {
                        throw;
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or FormatException or ManifestException)
        {
            throw Damaged(id, layout.Image(id), e);
        }
    }

    private static StoredImage Load(StoreLayout layout, Fd directory, ImageId id)
    {
        string path = layout.Image(id);
        byte[] manifest = Read(directory, "manifest\0"u8, out _);
        byte[] provenance = Read(directory, "provenance.json\0"u8, out Libc.Statx record);
        fixed (byte* archive = "image.aci\0"u8)
        fixed (byte* tree = "rootfs\0"u8)
        {
            ErrnoException.ThrowIfFailed(Libc.StatAt(directory.Number, archive, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx stat), "stat image.aci");
            bool hasTree = Libc.StatAt(directory.Number, tree, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx top) == 0 && top.Type == Libc.S_IFDIR;
            return Make(layout, id, manifest, provenance, FileClock.From(record.ModifyTime), stat.Size, hasTree ? Path.Combine(path, StoreLayout.TreeDirectory) : null);
        }
    }

    private static byte[] Read(Fd directory, ReadOnlySpan<byte> terminatedName, out Libc.Statx stat)
    {
        using Verification.TreeNode node = Verification.TreeNode.TryOpen(directory, terminatedName)
            ?? throw new ErrnoException("open " + ByteText.Show(terminatedName[..^1]), Errno.ENOENT);
        stat = node.Stat;
        byte[] content = new byte[stat.Type == Libc.S_IFREG ? stat.Size : 0];
        return node.Read(content, 0) == content.Length ? content : throw new IOException($"{ByteText.Show(terminatedName[..^1])} is cut off");
    }

    private static Fd? OpenDirectory(Fd? parent, string path)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            int follow = parent is null ? 0 : Libc.O_NOFOLLOW;
            int fd = Libc.openat(parent?.Number ?? Libc.AT_FDCWD, p, Libc.O_RDONLY | Libc.O_DIRECTORY | follow | Libc.O_CLOEXEC, 0);
            return fd < 0 && Errno.Last == Errno.ENOENT ? null : Fd.Own(fd, "open");
        }
    }

    private static StoredImage? TryLoadByPath(StoreLayout layout, ImageId id)
    {
        string directory = layout.Image(id);
        string record = Path.Combine(directory, StoreLayout.ProvenanceFile);
        string tree = Path.Combine(directory, StoreLayout.TreeDirectory);
        try
        {
            return Make(
                layout,
                id,
                File.ReadAllBytes(Path.Combine(directory, StoreLayout.ManifestFile)),
                File.ReadAllBytes(record),
                File.GetLastWriteTimeUtc(record),
                new FileInfo(Path.Combine(directory, StoreLayout.ArchiveFile)).Length,
                Directory.Exists(tree) ? tree : null);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException && !Directory.Exists(directory))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or ManifestException)
        {
            throw Damaged(id, directory, e);
        }
    }

    private static StoredImage Make(
        StoreLayout layout, ImageId id, byte[] manifest, byte[] provenance, DateTimeOffset lastUsed, long archiveBytes, string? tree) => new()
        {
            Id = id,
            Manifest = ImageManifest.Parse(manifest),
            Provenance = ProvenanceJson.Read(provenance),
            LastUsed = lastUsed,
            ArchiveBytes = archiveBytes,
            ArchivePath = Path.Combine(layout.Image(id), StoreLayout.ArchiveFile),
            TreePath = tree,
        };

    private static ImageException Damaged(ImageId id, string directory, Exception e) => new(
        ImageFailure.Storage, $"image {id} in {directory} cannot be read: {e.Message}", "remove it and import it again", e);
}
