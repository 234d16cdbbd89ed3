using System.Text;
using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images;

/// <summary>The extended attributes of an open file.</summary>
internal static unsafe class FileAttributeList
{
    private const int LargestValue = 64 << 10;

    /// <summary>All of them; none where the file system has no such thing.</summary>
    public static List<TarAttribute> Read(int fd)
    {
        List<TarAttribute> attributes = [];
        nint length = Libc.flistxattr(fd, null, 0);
        if (length <= 0)
        {
            return length == 0 || Errno.Last == Errno.EOPNOTSUPP ? attributes : throw new ErrnoException("listxattr", Errno.Last);
        }

        byte[] list = new byte[length];
        fixed (byte* l = list)
        {
            length = Libc.flistxattr(fd, l, (nuint)list.Length);
            ErrnoException.ThrowIfFailed(length, "listxattr");
        }

        foreach (Range range in list.AsSpan(0, (int)length).Split((byte)0))
        {
            byte[] name = list[range];
            if (name.Length > 0)
            {
                attributes.Add(new TarAttribute(name, Value(fd, name)));
            }
        }

        return attributes;
    }

    private static byte[] Value(int fd, byte[] name)
    {
        byte[] value = new byte[LargestValue];
        fixed (byte* n = (byte[])[.. name, 0])
        fixed (byte* v = value)
        {
            nint length = Libc.fgetxattr(fd, n, v, (nuint)value.Length);
            ErrnoException.ThrowIfFailed(length, "getxattr " + Encoding.UTF8.GetString(name));
            return value[..(int)length];
        }
    }
}
