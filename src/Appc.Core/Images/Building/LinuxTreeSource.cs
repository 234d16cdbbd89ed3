using Appc.Images.Tar;
using Appc.Linux;
using Microsoft.Win32.SafeHandles;

namespace Appc.Images.Building;

/// <summary>Reads a directory with all that Linux keeps: owners, modes, attributes, links, devices, times. Follows no link.</summary>
internal sealed unsafe class LinuxTreeSource(string directory, TreeView? view, CancellationToken cancellationToken) : ITreeSource
{
    // What readers take. A directory can be deeper, made by going down step by step, and then neither an archive nor the stack holds it.
    private static readonly int LongestName = new ArchiveLimits().PathBytes;

    private const int ShownBytes = 60;

    private readonly Dictionary<(uint, uint, ulong), byte[]> _links = [];

    public void Walk(Action<TarEntry, Stream?> take)
    {
        using Fd root = Fd.OpenDirectory(directory);
        WalkDirectory(root, "rootfs"u8.ToArray(), take);
    }

    private void WalkDirectory(Fd directoryFd, byte[] name, Action<TarEntry, Stream?> take)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TarEntry own = Describe(name, directoryFd.Stat(), TarEntryType.Directory);
        own.Attributes = Attributes(directoryFd.Number, own);
        take(own, null);
        List<(byte[] Name, byte Type)> children = DirectoryReader.Read(directoryFd);
        children.Sort((a, b) => ByteOrder.Instance.Compare(a.Name, b.Name));
        foreach ((byte[] child, _) in children)
        {
            byte[] path = [.. name, (byte)'/', .. child.AsSpan(0, child.Length - 1)];
            if (path.Length > LongestName)
            {
                throw new ImageException(
                    ImageFailure.LimitExceeded, $"a name that begins with '{ByteText.Show(path.AsSpan(0, ShownBytes))}' is longer than {LongestName} bytes", "no image has such names: remove what lies so deep");
            }

            fixed (byte* n = child)
            {
                ErrnoException.ThrowIfFailed(Libc.StatAt(directoryFd.Number, n, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx stat), "statx");
                if (stat.Type == Libc.S_IFDIR)
                {
                    using Fd next = Fd.TryOpenDirectory(directoryFd, child) ?? throw Changed(path);
                    WalkDirectory(next, path, take);
                }
                else if (!IsLeftOut(path, stat))
                {
                    TakeOther(directoryFd.Number, n, path, stat, take);
                }
            }
        }
    }

    /// <summary>What an app that ran has left may hold its sockets, which mean nothing without it.</summary>
    private bool IsLeftOut(byte[] path, Libc.Statx stat) =>
        view is not null && (stat.Type == Libc.S_IFSOCK || view.LeftOut.Contains(System.Text.Encoding.UTF8.GetString(path)));

    private void TakeOther(int parent, byte* name, byte[] path, Libc.Statx stat, Action<TarEntry, Stream?> take)
    {
        TarEntry entry = Describe(path, stat, TypeOf(stat, path));
        if (stat.Links > 1)
        {
            (uint, uint, ulong) key = (stat.DevMajor, stat.DevMinor, stat.Inode);
            if (_links.TryGetValue(key, out byte[]? first))
            {
                entry.Type = TarEntryType.HardLink;
                entry.LinkName = first;
                take(entry, null);
                return;
            }

            _links.Add(key, path);
        }

        switch (entry.Type)
        {
            case TarEntryType.File:
                TakeFile(parent, name, entry, stat, take);
                return;
            case TarEntryType.SymbolicLink:
                entry.LinkName = ReadLink(parent, name);
                break;
            case TarEntryType.CharacterDevice when stat is { RdevMajor: 0, RdevMinor: 0 }:
                throw EntryFaults.Whiteout(entry);
            default:
                entry.DeviceMajor = stat.RdevMajor;
                entry.DeviceMinor = stat.RdevMinor;
                break;
        }

        take(entry, null);
    }

    private void TakeFile(int parent, byte* name, TarEntry entry, Libc.Statx before, Action<TarEntry, Stream?> take)
    {
        int fd = Libc.openat(parent, name, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0);
        ErrnoException.ThrowIfFailed(fd, $"open {entry.ShownName}");
        using FileStream content = new(new SafeFileHandle(fd, ownsHandle: true), FileAccess.Read, bufferSize: 0);
        ErrnoException.ThrowIfFailed(Libc.StatFd(fd, out Libc.Statx stat), "statx");
        if (!stat.IsSameFile(before) || stat.Type != Libc.S_IFREG)
        {
            throw Changed(entry.Name);
        }

        entry.Length = stat.Size;
        entry.Attributes = Attributes(fd, entry);
        take(entry, content);
    }

    private TarEntry Describe(byte[] name, Libc.Statx stat, TarEntryType type) => new()
    {
        Type = type,
        Name = name,
        Mode = stat.Mode & 0xfffu,
        Uid = view?.IdOf(stat.Uid) ?? stat.Uid,
        Gid = view?.IdOf(stat.Gid) ?? stat.Gid,
        ModifyTime = new TarTime(stat.ModifyTime.Seconds, (int)stat.ModifyTime.Nanoseconds),
    };

    private static TarEntryType TypeOf(Libc.Statx stat, byte[] path) => stat.Type switch
    {
        Libc.S_IFREG => TarEntryType.File,
        Libc.S_IFLNK => TarEntryType.SymbolicLink,
        Libc.S_IFCHR => TarEntryType.CharacterDevice,
        Libc.S_IFBLK => TarEntryType.BlockDevice,
        Libc.S_IFIFO => TarEntryType.Fifo,
        _ => throw new ImageException(
            ImageFailure.Storage, $"'{ByteText.Show(path)}' is a socket, which no archive can hold", "remove it from the directory; the app makes it anew when it runs"),
    };

    private static byte[] ReadLink(int parent, byte* name)
    {
        byte[] buffer = new byte[4097];
        fixed (byte* b = buffer)
        {
            nint length = Libc.readlinkat(parent, name, b, (nuint)buffer.Length);
            ErrnoException.ThrowIfFailed(length, "readlink");
            return buffer[..(int)length];
        }
    }

    private List<TarAttribute> Attributes(int fd, TarEntry entry)
    {
        List<TarAttribute> attributes = FileAttributeList.Read(fd);
        foreach (TarAttribute attribute in attributes.Where(a => AttributePolicy.Decide(a.Name) == AttributePolicy.Verdict.Refuse))
        {
            throw EntryFaults.OverlayAttribute(entry, attribute);
        }

        attributes.RemoveAll(a => AttributePolicy.Decide(a.Name) == AttributePolicy.Verdict.LeaveOut);
        return view is null ? attributes : attributes.ConvertAll(view.AttributeOf);
    }

    private static ImageException Changed(byte[] path) =>
        new(ImageFailure.Storage, $"'{ByteText.Show(path)}' changed while it was read", "build from a directory that nobody writes to");
}
