using System.Text;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Reads short files in directories that a pod can write to: whatever lies there, no link is followed and nothing is waited for.</summary>
internal static unsafe class UntrustedFile
{
    private const int Limit = 4096;

    /// <summary>The beginning of a file, as UTF-8, and when it was written; null if no such plain file is there.</summary>
    internal static (string Text, DateTimeOffset Written)? TryRead(string path)
    {
        int descriptor;
        fixed (byte* p = Fd.PathBytes(path))
        {
            descriptor = Libc.openat(Libc.AT_FDCWD, p, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC | LibC.O_NONBLOCK | LibC.O_NOCTTY, 0);
        }

        if (descriptor < 0)
        {
            return Errno.Last is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP or Errno.ENXIO ? null : throw new ErrnoException($"open {path}", Errno.Last);
        }

        using SafeFileHandle file = new(descriptor, ownsHandle: true);
        ErrnoException.ThrowIfFailed(Libc.StatFd(descriptor, out Libc.Statx stat), $"stat {path}");
        if (stat.Type != Libc.S_IFREG)
        {
            return null;
        }

        byte[] buffer = new byte[Limit];
        int length = RandomAccess.Read(file, buffer, 0);
        return (Encoding.UTF8.GetString(buffer, 0, length), File.GetLastWriteTimeUtc(file));
    }
}
