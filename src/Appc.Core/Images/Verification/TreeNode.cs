using System.Globalization;
using System.Text;
using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images.Verification;

/// <summary>
/// One file of a tree as it lies on disk, open: files and directories for reading, all others by name only, so that no
/// device or pipe is ever opened.
/// </summary>
internal sealed unsafe class TreeNode : IDisposable
{
    private const int LongestTarget = 4097;

    private readonly Fd? _owned;
    private readonly Fd _fd;

    private TreeNode(Fd fd, Fd? owned, Libc.Statx stat)
    {
        _fd = fd;
        _owned = owned;
        Stat = stat;
    }

    /// <summary>The open file.</summary>
    public Fd File => _fd;

    /// <summary>What the kernel says of it.</summary>
    public Libc.Statx Stat { get; }

    public uint Type => Stat.Type;

    /// <summary>The twelve mode bits.</summary>
    public uint Mode => Stat.Mode & 0xfffu;

    public TarTime Time => new(Stat.ModifyTime.Seconds, (int)Stat.ModifyTime.Nanoseconds);

    public bool IsDirectory => Type == Libc.S_IFDIR;

    /// <summary>A tree's own directory, which stays the caller's to close.</summary>
    public static TreeNode OfRoot(Fd root) => new(root, null, root.Stat());

    /// <summary>Opens what a name in a directory stands for, following no link; null if there is nothing.</summary>
    public static TreeNode? TryOpen(Fd parent, ReadOnlySpan<byte> terminatedName)
    {
        fixed (byte* n = terminatedName)
        {
            if (Libc.StatAt(parent.Number, n, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx stat) < 0)
            {
                return Errno.Last is Errno.ENOENT or Errno.ENOTDIR ? null : throw new ErrnoException("statx", Errno.Last);
            }

            int how = stat.Type switch
            {
                Libc.S_IFREG => Libc.O_RDONLY | Libc.O_NONBLOCK,
                Libc.S_IFDIR => Libc.O_RDONLY | Libc.O_DIRECTORY,
                _ => Libc.O_PATH,
            };
            Fd fd = Fd.Own(Libc.openat(parent.Number, n, how | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0), "open");
            return new TreeNode(fd, fd, stat);
        }
    }

    /// <summary>The target of a symbolic link.</summary>
    public byte[] ReadLink()
    {
        byte[] buffer = new byte[LongestTarget];
        byte empty = 0;
        fixed (byte* b = buffer)
        {
            nint length = Libc.readlinkat(_fd.Number, &empty, b, (nuint)buffer.Length);
            ErrnoException.ThrowIfFailed(length, "readlink");
            return buffer[..(int)length];
        }
    }

    /// <summary>
    /// The extended attributes that belong to the tree, by the bytes of their names. The labels by which security modules
    /// of this host mark every file are none of them.
    /// </summary>
    public List<TarAttribute> ReadAttributes()
    {
        List<TarAttribute> attributes = Type is Libc.S_IFREG or Libc.S_IFDIR
            ? FileAttributeList.Read(_fd.Number)
            : FileAttributeList.Read(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_fd.Number}\0")));
        attributes.RemoveAll(a => a.Name.AsSpan().StartsWith("security."u8) && !a.Name.AsSpan().SequenceEqual("security.capability"u8));
        attributes.Sort((a, b) => ByteOrder.Instance.Compare(a.Name, b.Name));
        return attributes;
    }

    /// <summary>Reads content at an offset; fewer bytes than asked for only at the end of the file.</summary>
    public int Read(Span<byte> buffer, long offset)
    {
        int done = 0;
        fixed (byte* b = buffer)
        {
            while (done < buffer.Length)
            {
                nint read = Libc.pread(_fd.Number, b + done, (nuint)(buffer.Length - done), offset + done);
                if (read < 0 && Errno.Last != Errno.EINTR)
                {
                    throw new ErrnoException("read", Errno.Last);
                }

                if (read == 0)
                {
                    break;
                }

                done += (int)Math.Max(read, 0);
            }
        }

        return done;
    }

    /// <summary>Where data begins at or after an offset; the end of the file if there is none.</summary>
    public long NextData(long offset)
    {
        long data = Libc.lseek(_fd.Number, offset, Libc.SEEK_DATA);
        return data >= 0 ? data : Errno.Last == Errno.ENXIO ? Stat.Size : offset;
    }

    public void Dispose() => _owned?.Dispose();
}
