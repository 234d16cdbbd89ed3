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
    internal static (byte[] Content, DateTimeOffset Written)? TryRead(string path) =>
        OperatingSystem.IsLinux() ? TryOpen(path, Read)
            : File.Exists(path) ? (File.ReadAllBytes(path), File.GetLastWriteTimeUtc(path))
            : null;

    /// <summary>The same without the time, and without asking how long it is.</summary>
    /// <exception cref="IOException">It is there and cannot be read.</exception>
    internal static byte[]? TryReadContent(string path) =>
        !OperatingSystem.IsLinux() ? TryRead(path)?.Content
            : TryOpen(path, ReadContent) is var (content, _) ? content
            : null;

    private static unsafe (byte[] Content, DateTimeOffset Written)? TryOpen(string path, Func<int, string, (byte[] Content, DateTimeOffset Written)> read)
    {
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
            return read(number, path);
        }
        finally
        {
            _ = Libc.close(number);
        }
    }

    private static unsafe (byte[] Content, DateTimeOffset Written) ReadContent(int number, string path)
    {
        Span<byte> beginning = stackalloc byte[Most];
        int length = Read(number, beginning, path, untilFull: false);

        // A file gives less than it was asked for only at its end.
        return length < beginning.Length ? (beginning[..length].ToArray(), default) : Read(number, path);
    }

    private static (byte[] Content, DateTimeOffset Written) Read(int number, string path)
    {
        ErrnoException.ThrowIfFailed(Libc.StatFd(number, out Libc.Statx stat), $"stat {path}");
        byte[] content = new byte[stat.Size];
        int length = Read(number, content, path, untilFull: true);
        DateTimeOffset written = DateTimeOffset.FromUnixTimeSeconds(stat.ModifyTime.Seconds).AddTicks(stat.ModifyTime.Nanoseconds / 100);
        return (length == content.Length ? content : content[..length], written);
    }

    private static unsafe int Read(int number, Span<byte> content, string path, bool untilFull)
    {
        int length = 0;
        fixed (byte* p = content)
        {
            while (length < content.Length)
            {
                nint read = Libc.pread(number, p + length, (nuint)(content.Length - length), length);
                if (read < 0 && Errno.Last == Errno.EINTR)
                {
                    continue;
                }

                ErrnoException.ThrowIfFailed(read, $"read {path}");
                length += (int)read;
                if (read == 0 || !untilFull)
                {
                    break;
                }
            }
        }

        return length;
    }
}
