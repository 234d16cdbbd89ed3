using Appc.Linux;

namespace Appc.Images.Rendering;

/// <summary>
/// Copies files of all kinds where a hard link is not possible or not wanted; shares the blocks of regular ones where the
/// file system can, and leaves holes as they are.
/// </summary>
internal static unsafe class FileCopier
{
    private const uint WorkMode = 0x180;
    private const int BufferBytes = 256 << 10;
    private const int LongestTarget = 4097;

    /// <summary>Makes a copy in another directory, under the same name, with owner, mode, attributes and time.</summary>
    public static void Copy(Fd source, Fd target, byte* name, Libc.Statx stat)
    {
        switch (stat.Type)
        {
            case Libc.S_IFREG:
                CopyRegular(source, target, name);
                return;
            case Libc.S_IFLNK:
                CopyLink(source, target, name);
                break;
            default:
                ErrnoException.ThrowIfFailed(
                    Libc.mknodat(target.Number, name, stat.Type | WorkMode, Libc.MakeDevice(stat.RdevMajor, stat.RdevMinor)), "mknod");
                break;
        }

        if (Libc.geteuid() == 0)
        {
            ErrnoException.ThrowIfFailed(Libc.fchownat(target.Number, name, stat.Uid, stat.Gid, Libc.AT_SYMLINK_NOFOLLOW), "chown");
        }

        if (stat.Type != Libc.S_IFLNK)
        {
            ErrnoException.ThrowIfFailed(Libc.fchmodat(target.Number, name, stat.Mode & 0xfffu, 0), "chmod");
        }

        Libc.Timespec* times = stackalloc Libc.Timespec[2];
        times[0] = times[1] = new Libc.Timespec { Seconds = stat.ModifyTime.Seconds, Nanoseconds = stat.ModifyTime.Nanoseconds };
        ErrnoException.ThrowIfFailed(Libc.utimensat(target.Number, name, times, Libc.AT_SYMLINK_NOFOLLOW), "utimensat");
    }

    private static void CopyRegular(Fd source, Fd target, byte* name)
    {
        using Fd from = Fd.Own(Libc.openat(source.Number, name, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0), "open");
        using Fd to = Fd.Own(
            Libc.openat(target.Number, name, Libc.O_WRONLY | Libc.O_CREAT | Libc.O_EXCL | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, WorkMode), "open");
        if (!Libc.TryClone(from.Number, to.Number))
        {
            CopyContent(from.Number, to.Number, from.Stat().Size);
        }

        FileState.Of(from).Apply(to);
    }

    private static void CopyContent(int from, int to, long size)
    {
        ErrnoException.ThrowIfFailed(Libc.ftruncate(to, size), "ftruncate");
        byte[] buffer = new byte[Math.Min(BufferBytes, Math.Max(size, 1))];
        fixed (byte* b = buffer)
        {
            for (long offset = 0; offset < size;)
            {
                long data = Libc.lseek(from, offset, Libc.SEEK_DATA);
                if (data < 0 && Errno.Last == Errno.ENXIO)
                {
                    return;
                }

                offset = Math.Max(offset, data);
                long hole = Libc.lseek(from, offset, Libc.SEEK_HOLE);
                for (long end = hole > offset ? hole : size; offset < end;)
                {
                    nint length = Libc.pread(from, b, (nuint)Math.Min(buffer.Length, end - offset), offset);
                    ErrnoException.ThrowIfFailed(length, "read");
                    if (length == 0)
                    {
                        return;
                    }

                    for (nint done = 0; done < length;)
                    {
                        nint written = Libc.pwrite(to, b + done, (nuint)(length - done), offset + done);
                        ErrnoException.ThrowIfFailed(written, "write");
                        done += written;
                    }

                    offset += length;
                }
            }
        }
    }

    private static void CopyLink(Fd source, Fd target, byte* name)
    {
        byte* content = stackalloc byte[LongestTarget + 1];
        nint length = Libc.readlinkat(source.Number, name, content, LongestTarget);
        ErrnoException.ThrowIfFailed(length, "readlink");
        content[length] = 0;
        ErrnoException.ThrowIfFailed(Libc.symlinkat(content, target.Number, name), "symlink");
    }
}
