namespace Appc.Linux;

/// <summary>
/// Reads small files of which many are looked at and many are not there: with the fewest calls, and no exception for a
/// file that is missing.
/// </summary>
internal static class SmallFile
{
    // More than the record and the manifest of a usual pod.
    private const int Most = 8 * 1024;

    /// <summary>The content of a file and when it was last written; null if there is no such file.</summary>
    /// <exception cref="IOException">It is there and cannot be read.</exception>
    internal static (byte[] Content, DateTimeOffset Written)? TryRead(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return File.Exists(path) ? (File.ReadAllBytes(path), File.GetLastWriteTimeUtc(path)) : null;
        }

        int number = TryOpen(path);
        if (number < 0)
        {
            return null;
        }

        try
        {
            ErrnoException.ThrowIfFailed(Libc.StatFd(number, out Libc.Statx stat), $"stat {path}");
            byte[] content = new byte[stat.Size];
            int length = Read(number, content, path);
            DateTimeOffset written = DateTimeOffset.FromUnixTimeSeconds(stat.ModifyTime.Seconds).AddTicks(stat.ModifyTime.Nanoseconds / 100);
            return (length == content.Length ? content : content[..length], written);
        }
        finally
        {
            _ = Libc.close(number);
        }
    }

    /// <summary>The same without the time, and, of a short file, without asking how long it is.</summary>
    /// <exception cref="IOException">It is there and cannot be read.</exception>
    internal static byte[]? TryReadContent(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return TryRead(path)?.Content;
        }

        int number = TryOpen(path);
        if (number < 0)
        {
            return null;
        }

        Span<byte> beginning = stackalloc byte[Most];
        int length;
        try
        {
            length = ReadOnce(number, beginning, 0, path);
        }
        finally
        {
            _ = Libc.close(number);
        }

        // A file gives less than it was asked for only at its end.
        return length < beginning.Length ? beginning[..length].ToArray() : TryRead(path)?.Content;
    }

    /// <summary>A descriptor; negative if there is no such file.</summary>
    private static unsafe int TryOpen(string path)
    {
        const int NotDirectory = Errno.ENOTDIR;
        int number;
        fixed (byte* p = Fd.PathBytes(path))
        {
            number = Libc.openat(Libc.AT_FDCWD, p, Libc.O_RDONLY | Libc.O_CLOEXEC, 0);
        }

        if (number >= 0 || Errno.Last is not (Errno.ENOENT or NotDirectory))
        {
            ErrnoException.ThrowIfFailed(number, $"open {path}");
        }

        return number;
    }

    private static int Read(int number, Span<byte> content, string path)
    {
        int length = 0;
        while (length < content.Length && ReadOnce(number, content[length..], length, path) is > 0 and int read)
        {
            length += read;
        }

        return length;
    }

    private static unsafe int ReadOnce(int number, Span<byte> content, int offset, string path)
    {
        fixed (byte* p = content)
        {
            nint read;
            do
            {
                read = Libc.pread(number, p, (nuint)content.Length, offset);
            }
            while (read < 0 && Errno.Last == Errno.EINTR);

            ErrnoException.ThrowIfFailed(read, $"read {path}");
            return (int)read;
        }
    }
}
