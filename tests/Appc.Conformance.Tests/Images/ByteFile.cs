using System.Text;
using Appc.Linux;

namespace Appc.Conformance.Tests.Images;

/// <summary>Looks at files whose names are bytes, without following links.</summary>
internal static unsafe class ByteFile
{
    public static byte[] Join(string directory, byte[] path) => [.. Encoding.UTF8.GetBytes(directory), (byte)'/', .. path];

    public static bool TryStat(byte[] path, out Libc.Statx stat)
    {
        fixed (byte* p = (byte[])[.. path, 0])
        {
            return Libc.StatAt(Libc.AT_FDCWD, p, Libc.AT_SYMLINK_NOFOLLOW, out stat) == 0;
        }
    }

    public static byte[] ReadLink(byte[] path)
    {
        byte[] buffer = new byte[5000];
        fixed (byte* p = (byte[])[.. path, 0])
        fixed (byte* b = buffer)
        {
            nint length = Libc.readlinkat(Libc.AT_FDCWD, p, b, (nuint)buffer.Length);
            ErrnoException.ThrowIfFailed(length, "readlink");
            return buffer[..(int)length];
        }
    }

    public static FileStream Open(byte[] path)
    {
        fixed (byte* p = (byte[])[.. path, 0])
        {
            int fd = Libc.openat(Libc.AT_FDCWD, p, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC | Libc.O_NONBLOCK, 0);
            ErrnoException.ThrowIfFailed(fd, "open");
            return new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(fd, ownsHandle: true), FileAccess.Read);
        }
    }

    /// <summary>An attribute's value in hex; null if the file has no such attribute.</summary>
    public static string? Attribute(byte[] path, string name)
    {
        byte[] value = new byte[70000];
        using FileStream file = Open(path);
        fixed (byte* n = Encoding.UTF8.GetBytes(name + "\0"))
        fixed (byte* v = value)
        {
            nint length = Libc.fgetxattr((int)file.SafeFileHandle.DangerousGetHandle(), n, v, (nuint)value.Length);
            return length < 0 ? null : Convert.ToHexStringLower(value.AsSpan(0, (int)length));
        }
    }
}
