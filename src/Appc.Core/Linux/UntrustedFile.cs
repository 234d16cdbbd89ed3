using System.Text;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Files in directories that a pod can write to: whatever lies there, no link is followed and nothing is waited for.</summary>
internal static unsafe class UntrustedFile
{
    private const int DefaultLimit = 4096;
    private const uint OwnerAccess = 0x180;

    /// <summary>The beginning of a file, as UTF-8, and when it was written; null if no such plain file is there.</summary>
    internal static (string Text, DateTimeOffset Written)? TryRead(string path, int limit = DefaultLimit)
    {
        using SafeFileHandle? file = TryOpen(path, Libc.O_RDONLY);
        if (file is null)
        {
            return null;
        }

        ErrnoException.ThrowIfFailed(Libc.StatFd((int)file.DangerousGetHandle(), out Libc.Statx stat), $"stat {path}");
        if (stat.Type != Libc.S_IFREG)
        {
            return null;
        }

        int most = (int)Math.Min(limit, Math.Max(stat.Size, DefaultLimit));
        Span<byte> buffer = most <= DefaultLimit ? stackalloc byte[most] : new byte[most];
        int length = SmallFile.ReadOnce((int)file.DangerousGetHandle(), buffer, 0, path);
        return (Encoding.UTF8.GetString(buffer[..length]), stat.ModifyTime.ToDateTimeOffset());
    }

    /// <summary>Opens what is there; null for a link, and if nothing is there.</summary>
    internal static SafeFileHandle? TryOpen(string path, int access)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            int descriptor = Libc.openat(Libc.AT_FDCWD, p, access | Libc.O_NOFOLLOW | Libc.O_CLOEXEC | LibC.O_NONBLOCK | LibC.O_NOCTTY, OwnerAccess);
            return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true)
                : Errno.Last is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP or Errno.ENXIO ? null
                : throw new ErrnoException($"open {path}", Errno.Last);
        }
    }
}
