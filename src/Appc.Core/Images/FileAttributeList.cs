using System.Text;
using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images;

/// <summary>The extended attributes of an open file.</summary>
internal static unsafe class FileAttributeList
{
    private const int LargestValue = 64 << 10;

    /// <summary>All of them; none where the file system has no such thing.</summary>
    public static List<TarAttribute> Read(int fd) => Read(
        (list, size) => Libc.flistxattr(fd, (byte*)list, size),
        (name, value, size) => Libc.fgetxattr(fd, (byte*)name, (byte*)value, size));

    /// <summary>All of them, of the file at a path (NUL-terminated).</summary>
    public static List<TarAttribute> Read(byte[] terminatedPath)
    {
        fixed (byte* p = terminatedPath)
        {
            nint path = (nint)p;
            return Read(
                (list, size) => Libc.listxattr((byte*)path, (byte*)list, size),
                (name, value, size) => Libc.getxattr((byte*)path, (byte*)name, (byte*)value, size));
        }
    }

    private static List<TarAttribute> Read(Func<nint, nuint, nint> listNames, Func<nint, nint, nuint, nint> readValue)
    {
        List<TarAttribute> attributes = [];
        nint length = listNames(0, 0);
        if (length <= 0)
        {
            return length == 0 || Errno.Last == Errno.EOPNOTSUPP ? attributes : throw new ErrnoException("listxattr", Errno.Last);
        }

        byte[] list = new byte[length];
        fixed (byte* l = list)
        {
            length = listNames((nint)l, (nuint)list.Length);
            ErrnoException.ThrowIfFailed(length, "listxattr");
        }

        foreach (Range range in list.AsSpan(0, (int)length).Split((byte)0))
        {
            byte[] name = list[range];
            if (name.Length > 0)
            {
                attributes.Add(new TarAttribute(name, Value(name, readValue)));
            }
        }

        return attributes;
    }

    private static byte[] Value(byte[] name, Func<nint, nint, nuint, nint> readValue)
    {
        byte[] value = new byte[LargestValue];
        fixed (byte* n = (byte[])[.. name, 0])
        fixed (byte* v = value)
        {
            nint length = readValue((nint)n, (nint)v, (nuint)value.Length);
            ErrnoException.ThrowIfFailed(length, "getxattr " + Encoding.UTF8.GetString(name));
            return value[..(int)length];
        }
    }
}
