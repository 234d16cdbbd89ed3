namespace Appc.Linux;

/// <summary>
/// Reads small files of which many are looked at and many are not there: with the fewest calls, and no exception for a
/// file that is missing.
/// </summary>
internal static class SmallFile
{
    /// <summary>The content of a file and when it was last written; null if there is no such file.</summary>
    /// <exception cref="IOException">It is there and cannot be read.</exception>
    internal static unsafe (byte[] Content, DateTimeOffset Written)? TryRead(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return File.Exists(path) ? (File.ReadAllBytes(path), File.GetLastWriteTimeUtc(path)) : null;
        }

        const int NotDirectory = Errno.ENOTDIR;
        int number;
        fixed (byte* p = Fd.PathBytes(path))
        {
            number = Libc.openat(Libc.AT_FDCWD, p, Libc.O_RDONLY | Libc.O_CLOEXEC, 0);
        }

        if (number < 0 && Errno.Last is Errno.ENOENT or NotDirectory)
        {
            return null;
        }

        ErrnoException.ThrowIfFailed(number, $"open {path}");
        try
        {
            return Read(number, path);
        }
        finally
        {
            _ = Libc.close(number);
        }
    }

    private static unsafe (byte[] Content, DateTimeOffset Written) Read(int number, string path)
    {
        ErrnoException.ThrowIfFailed(Libc.StatFd(number, out Libc.Statx stat), $"stat {path}");
        byte[] content = new byte[stat.Size];
        int length = 0;
        fixed (byte* p = content)
        {
            while (length < content.Length)
            {
                nint read = Libc.read(number, p + length, (nuint)(content.Length - length));
                if (read < 0 && Errno.Last == Errno.EINTR)
                {
                    continue;
                }

                ErrnoException.ThrowIfFailed(read, $"read {path}");
                if (read == 0)
                {
                    break;
                }

                length += (int)read;
            }
        }

        DateTimeOffset written = DateTimeOffset.FromUnixTimeSeconds(stat.ModifyTime.Seconds).AddTicks(stat.ModifyTime.Nanoseconds / 100);
        return (length == content.Length ? content : content[..length], written);
    }
}
