using System.Globalization;
using System.Text;

namespace Appc.Linux;

/// <summary>
/// Removes a directory and all below it by descriptors, following no link and entering no mount. Deep trees are
/// flattened on the way, so that neither the stack nor the number of open files limits the depth.
/// </summary>
internal static unsafe class TreeRemover
{
    private const int DeepestRecursion = 32;
    private const uint Writable = 0x1c0;

    /// <summary>Removes a directory; does nothing if it is not there. On other systems than Linux by the runtime's own means.</summary>
    /// <returns>How many bytes on disk that freed, about; 0 on other systems than Linux.</returns>
    public static long Remove(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!Directory.Exists(full))
        {
            return 0;
        }

        if (!OperatingSystem.IsLinux())
        {
            Directory.Delete(full, recursive: true);
            return 0;
        }

        using Fd parent = Fd.OpenDirectory(Path.GetDirectoryName(full)!);
        return Remove(parent, Fd.PathBytes(Path.GetFileName(full)), count: true);
    }

    /// <summary>Removes a directory in another one; does nothing if it is not there.</summary>
    public static void Remove(Fd parent, byte[] terminatedName) => Remove(parent, terminatedName, count: false);

    private static long Remove(Fd parent, byte[] terminatedName, bool count)
    {
        long bytes;
        using (Fd? top = Open(parent, terminatedName))
        {
            if (top is null)
            {
                return 0;
            }

            State state = new(top) { Counts = count };
            Empty(top, 0, state);
            for (int i = 0; i < state.Flattened.Count; i++)
            {
                RemoveDirectory(top, state.Flattened[i], 0, state);
            }

            bytes = state.Bytes;
        }

        Unlink(parent, terminatedName, Libc.AT_REMOVEDIR);
        return bytes;
    }

    private static void Empty(Fd directory, int depth, State state)
    {
        foreach ((byte[] name, byte type) in DirectoryReader.Read(directory))
        {
            // A directory that was moved up here is removed in its own turn.
            if (depth == 0 && directory == state.Top && state.IsFlattened(name))
            {
                continue;
            }

            if (type is DirectoryReader.TypeDirectory or DirectoryReader.TypeUnknown && IsDirectory(directory, name))
            {
                if (depth == DeepestRecursion)
                {
                    state.MoveUp(directory, name);
                }
                else
                {
                    RemoveDirectory(directory, name, depth, state);
                }
            }
            else
            {
                state.Count(directory, name);
                Unlink(directory, name, 0);
            }
        }
    }

    private static void RemoveDirectory(Fd parent, byte[] name, int depth, State state)
    {
        using (Fd? child = Open(parent, name))
        {
            if (child is null)
            {
                return;
            }

            Libc.Statx stat = child.Stat();
            if (stat.DevMajor != state.Stat.DevMajor || stat.DevMinor != state.Stat.DevMinor)
            {
                throw new ErrnoException("a file system is mounted in the tree to remove", Errno.EXDEV);
            }

            Empty(child, depth + 1, state);
        }

        Unlink(parent, name, Libc.AT_REMOVEDIR);
    }

    private static Fd? Open(Fd parent, byte[] name)
    {
        fixed (byte* n = name)
        {
            int fd = Libc.openat(parent.Number, n, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0);
            if (fd < 0 && Errno.Last == Errno.EACCES)
            {
                // One's own directory without permissions: it is about to go anyway.
                _ = Libc.fchmodat(parent.Number, n, Writable, 0);
                fd = Libc.openat(parent.Number, n, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0);
            }

            if (fd < 0 && Errno.Last == Errno.ENOENT)
            {
                return null;
            }

            Fd opened = Fd.Own(fd, "open");
            if (Libc.geteuid() != 0 && (opened.Stat().Mode & Writable) != Writable)
            {
                _ = Libc.fchmod(fd, Writable);
            }

            return opened;
        }
    }

    private static bool IsDirectory(Fd parent, byte[] name)
    {
        fixed (byte* n = name)
        {
            return Libc.StatAt(parent.Number, n, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx stat) == 0 && stat.Type == Libc.S_IFDIR;
        }
    }

    private static void Unlink(Fd parent, byte[] name, int flags)
    {
        fixed (byte* n = name)
        {
            int result = Libc.unlinkat(parent.Number, n, flags);
            if (result < 0 && Errno.Last != Errno.ENOENT)
            {
                throw new ErrnoException("unlink", Errno.Last);
            }
        }
    }

    private sealed class State(Fd top)
    {
        private static ReadOnlySpan<byte> Prefix => ".removing-"u8;

        public Fd Top { get; } = top;

        public Libc.Statx Stat { get; } = top.Stat();

        public List<byte[]> Flattened { get; } = [];

        public bool Counts { get; init; }

        public long Bytes { get; private set; }

        /// <summary>Adds what a file frees; one with more names frees nothing yet.</summary>
        public void Count(Fd parent, byte[] name)
        {
            const int SectorBytes = 512;
            fixed (byte* n = name)
            {
                if (Counts && Libc.StatAt(parent.Number, n, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx stat) == 0 && stat.Links == 1)
                {
                    Bytes += (long)stat.Blocks * SectorBytes;
                }
            }
        }

        public bool IsFlattened(byte[] name) => name.AsSpan().StartsWith(Prefix) && Flattened.Exists(f => f.AsSpan().SequenceEqual(name));

        public void MoveUp(Fd parent, byte[] name)
        {
            string number = Flattened.Count.ToString(CultureInfo.InvariantCulture);
            byte[] moved = [.. Prefix, .. Encoding.ASCII.GetBytes(number), (byte)'-', .. Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("N")), 0];
            fixed (byte* from = name)
            fixed (byte* to = moved)
            {
                ErrnoException.ThrowIfFailed(Libc.RenameAt2(parent.Number, from, Top.Number, to, Libc.RENAME_NOREPLACE), "rename");
            }

            Flattened.Add(moved);
        }
    }
}
