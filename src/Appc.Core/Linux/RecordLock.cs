using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// The kind of lock that systemd takes on its own lock files: fcntl(2)'s, of the open file instead of the process. It does not know of
/// those of flock(2), and like these it ends when the last copy of its descriptor is closed.
/// </summary>
internal static unsafe class RecordLock
{
    private const int F_OFD_SETLK = 37;
    private const short F_WRLCK = 1;

    /// <summary>Takes a lock on a file, which is made if it is missing; null if somebody else has it.</summary>
    internal static Fd? TryTake(string path)
    {
        const uint OwnerOnly = 0x180;

        // struct flock: kind and, relative to the begin of the file, all of it.
        long* range = stackalloc long[4];
        new Span<long>(range, 4).Clear();
        *(short*)range = F_WRLCK;
        while (true)
        {
            Fd file;
            fixed (byte* p = Fd.PathBytes(path))
            {
                file = Fd.Own(Libc.openat(Libc.AT_FDCWD, p, LibC.O_RDWR | Libc.O_CREAT | Libc.O_NOFOLLOW | Libc.O_CLOEXEC | LibC.O_NOCTTY, OwnerOnly), $"open {path}");
            }

            if (Libc.fcntl(file.Number, F_OFD_SETLK, (nint)range) < 0)
            {
                int error = Errno.Last;
                file.Dispose();
                return error is Errno.EAGAIN or Errno.EACCES ? null : throw new ErrnoException($"lock {path}", error);
            }

            // Who had it takes its name away at the end: then it is nobody's lock any more.
            if (file.Stat().Links > 0)
            {
                return file;
            }

            file.Dispose();
        }
    }
}
