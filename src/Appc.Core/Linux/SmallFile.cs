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
            return (length == content.Length ? content : content[..length], stat.ModifyTime.ToDateTimeOffset());
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

    /// <summary>Writes a file anew; it is made if it is not there.</summary>
    /// <exception cref="IOException">It cannot be written; a part of it may be there.</exception>
    internal static unsafe void Write(string path, ReadOnlySpan<byte> content)
    {
        if (!OperatingSystem.IsLinux())
        {
            File.WriteAllBytes(path, content);
            return;
        }

        const uint ReadableByAll = 0x1b6; // 0666 but for the umask
        int number;
        fixed (byte* p = Fd.PathBytes(path))
        {
            number = Libc.openat(Libc.AT_FDCWD, p, Libc.O_WRONLY | Libc.O_CREAT | Libc.O_TRUNC | Libc.O_CLOEXEC, ReadableByAll);
        }

        ErrnoException.ThrowIfFailed(number, $"create {path}");
        try
        {
            while (!content.IsEmpty)
            {
                content = content[WriteOnce(number, content, path)..];
            }
        }
        finally
        {
            _ = Libc.close(number);
        }
    }

    /// <summary>Publishes a file by rename: who reads finds the old one or the new one. What is new may not survive a power cut.</summary>
    /// <exception cref="IOException">It cannot be written; the old one is as it was.</exception>
    internal static void Replace(string path, ReadOnlySpan<byte> content)
    {
        string temporary = path + ".new";
        Write(temporary, content);
        File.Move(temporary, path, overwrite: true);
    }

    private static unsafe int WriteOnce(int number, ReadOnlySpan<byte> content, string path)
    {
        fixed (byte* p = content)
        {
            nint written;
            do
            {
                written = Libc.write(number, p, (nuint)content.Length);
            }
            while (written < 0 && Errno.Last == Errno.EINTR);

            ErrnoException.ThrowIfFailed(written, $"write {path}");
            return (int)written;
        }
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

    /// <summary>Reads once; fewer bytes than asked for only at the end of the file.</summary>
    internal static unsafe int ReadOnce(int number, Span<byte> content, int offset, string path)
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
