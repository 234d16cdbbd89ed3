using System.Text;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Images;

/// <summary>Reads what the store knows of an image.</summary>
internal static unsafe class ImageRecord
{
    private const int Attempts = 10;

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
            using Fd? images = OpenDirectory(null, Fd.PathBytes(layout.Images));
            return images is null ? null : TryLoad(layout, images, id);
        }
        catch (ErrnoException e)
        {
            throw Damaged(id, layout.Image(id), e);
        }
    }

    /// <summary>
    /// As the other one, beneath the open directory of all images: a list of many looks their path up once, and needs ten
    /// system calls an image.
    /// </summary>
    public static StoredImage? TryLoad(StoreLayout layout, Fd images, ImageId id)
    {
        string name = id.ToString();
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                try
                {
                    return Load(layout, images, name, id);
                }
                catch (ErrnoException e) when (e.Number == Errno.ENOENT)
                {
                    using Fd? directory = OpenDirectory(images, Fd.PathBytes(name));
                    if (directory is null)
                    {
                        return null;
                    }

                    // Perhaps it was removed and imported again in between: then it is read anew.
                    if (attempt == Attempts)
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

    private static StoredImage Load(StoreLayout layout, Fd images, string name, ImageId id)
    {
        byte[] path = new byte[name.Length + 32];
        Encoding.ASCII.GetBytes(name, path);
        path[name.Length] = (byte)'/';
        Span<byte> file = path.AsSpan(name.Length + 1);
        byte[] manifest = Read(images, At(path, file, "manifest"u8), out _);
        byte[] provenance = Read(images, At(path, file, "provenance.json"u8), out Libc.Statx record);
        long archive = (Stat(images, At(path, file, "image.aci"u8)) ?? throw new ErrnoException("stat image.aci", Errno.ENOENT)).Size;
        bool hasTree = Stat(images, At(path, file, "rootfs"u8)) is { Type: Libc.S_IFDIR };
        string directory = layout.Image(id);
        return Make(id, directory, manifest, provenance, record.ModifyTime.ToDateTimeOffset(), archive, hasTree);
    }

    private static byte[] At(byte[] path, Span<byte> file, ReadOnlySpan<byte> name)
    {
        file.Clear();
        name.CopyTo(file);
        return path;
    }

    private static Libc.Statx? Stat(Fd images, byte[] path)
    {
        fixed (byte* p = path)
        {
            return Libc.StatAt(images.Number, p, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx stat) == 0 ? stat
                : Errno.Last == Errno.ENOENT ? null
                : throw new ErrnoException("stat", Errno.Last);
        }
    }

    private static byte[] Read(Fd images, byte[] path, out Libc.Statx stat)
    {
        fixed (byte* p = path)
        {
            using Fd fd = Fd.Own(
                Libc.openat(images.Number, p, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0),
                "open a file of the image");
            stat = fd.Stat();
            if (stat.Type != Libc.S_IFREG)
            {
                throw new IOException("one of its files is no regular file");
            }

            byte[] content = new byte[stat.Size];
            int done = 0;
            fixed (byte* c = content)
            {
                while (done < content.Length)
                {
                    nint length = Libc.read(fd.Number, c + done, (nuint)(content.Length - done));
                    ErrnoException.ThrowIfFailed(length, "read");
                    if (length == 0)
                    {
                        throw new IOException("one of its files is cut off");
                    }

                    done += (int)length;
                }
            }

            return content;
        }
    }

    private static Fd? OpenDirectory(Fd? parent, byte[] terminatedPath)
    {
        fixed (byte* p = terminatedPath)
        {
            int follow = parent is null ? 0 : Libc.O_NOFOLLOW;
            int fd = Libc.openat(parent?.Number ?? Libc.AT_FDCWD, p, Libc.O_PATH | Libc.O_DIRECTORY | follow | Libc.O_CLOEXEC, 0);
            return fd < 0 && Errno.Last == Errno.ENOENT ? null : Fd.Own(fd, "open");
        }
    }

    private static StoredImage? TryLoadByPath(StoreLayout layout, ImageId id)
    {
        string directory = layout.Image(id);
        string record = Path.Combine(directory, StoreLayout.ProvenanceFile);
        try
        {
            return Make(
                id,
                directory,
                File.ReadAllBytes(Path.Combine(directory, StoreLayout.ManifestFile)),
                File.ReadAllBytes(record),
                File.GetLastWriteTimeUtc(record),
                new FileInfo(Path.Combine(directory, StoreLayout.ArchiveFile)).Length,
                Directory.Exists(Path.Combine(directory, StoreLayout.TreeDirectory)));
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
        ImageId id, string directory, byte[] manifest, byte[] provenance, DateTimeOffset lastUsed, long archiveBytes, bool hasTree) => new()
        {
            Id = id,
            Manifest = ImageManifest.Parse(manifest),
            Provenance = ProvenanceJson.Read(provenance),
            LastUsed = lastUsed,
            ArchiveBytes = archiveBytes,
            ArchivePath = Path.Combine(directory, StoreLayout.ArchiveFile),
            TreePath = hasTree ? Path.Combine(directory, StoreLayout.TreeDirectory) : null,
        };

    private static ImageException Damaged(ImageId id, string directory, Exception e)
    {
        string what = $"image {id} in {directory} cannot be read";

        // What this process may not read is as it should be.
        return e is UnauthorizedAccessException or ErrnoException { Number: Errno.EACCES or Errno.EPERM }
            ? StorageFaults.From(e, what)
            : new ImageException(ImageFailure.Storage, $"{what}: {e.Message}", "remove it and import it again", e);
    }
}
