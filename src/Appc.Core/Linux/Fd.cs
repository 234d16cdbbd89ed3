using System.Runtime.CompilerServices;
using System.Text;

namespace Appc.Linux;

/// <summary>An open file descriptor that is closed when disposed. Close-on-exec always.</summary>
internal sealed unsafe class Fd : IDisposable
{
    private int _number;

    private Fd(int number) => _number = number;

    ~Fd() => Close();

    /// <summary>The number; valid until disposed.</summary>
    public int Number => _number >= 0 ? _number : throw new ObjectDisposedException(nameof(Fd));

    /// <summary>Takes a descriptor over from a call that returned it; throws for a negative one.</summary>
    public static Fd Own(int number, string call)
    {
        ErrnoException.ThrowIfFailed(number, call);
        return new Fd(number);
    }

    /// <inheritdoc cref="Own(int, string)"/>
    public static Fd Own(int number, [InterpolatedStringHandlerArgument(nameof(number))] ref FailedCall call)
    {
        ErrnoException.ThrowIfFailed(number, ref call);
        return new Fd(number);
    }

    /// <summary>Opens a directory by its path, following links as the host's administrator laid them.</summary>
    public static Fd OpenDirectory(string path)
    {
        fixed (byte* p = PathBytes(path))
        {
            return Own(Libc.openat(Libc.AT_FDCWD, p, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC, 0), $"open {path}");
        }
    }

    /// <summary>Opens a directory in another without following a link; null where there is none.</summary>
    public static Fd? TryOpenDirectory(Fd parent, ReadOnlySpan<byte> terminatedName)
    {
        fixed (byte* p = terminatedName)
        {
            int fd = Libc.openat(parent.Number, p, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0);
            if (fd < 0 && Errno.Last is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP)
            {
                return null;
            }

            return Own(fd, "open " + Encoding.UTF8.GetString(terminatedName.TrimEnd((byte)0)));
        }
    }

    /// <summary>A path as the kernel takes it.</summary>
    public static byte[] PathBytes(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("a path holds a NUL character", nameof(path));
        }

        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(path) + 1];
        Encoding.UTF8.GetBytes(path, bytes);
        return bytes;
    }

    /// <summary>Tries to take an advisory lock without waiting; false where another process or descriptor holds it.</summary>
    public bool TryLock(bool exclusive) => TryLock(Number, exclusive);

    /// <inheritdoc cref="TryLock(bool)"/>
    public static bool TryLock(int number, bool exclusive)
    {
        int result;
        do
        {
            result = Libc.flock(number, (exclusive ? Libc.LOCK_EX : Libc.LOCK_SH) | Libc.LOCK_NB);
        }
        while (result < 0 && Errno.Last == Errno.EINTR);

        if (result < 0 && Errno.Last == Errno.EAGAIN)
        {
            return false;
        }

        ErrnoException.ThrowIfFailed(result, "flock");
        return true;
    }

    /// <inheritdoc cref="Libc.StatFd"/>
    public Libc.Statx Stat()
    {
        ErrnoException.ThrowIfFailed(Libc.StatFd(Number, out Libc.Statx stat), "statx");
        return stat;
    }

    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    private void Close()
    {
        int number = Interlocked.Exchange(ref _number, -1);
        if (number >= 0)
        {
            _ = Libc.close(number);
        }
    }
}
