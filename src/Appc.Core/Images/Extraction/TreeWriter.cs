using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images.Extraction;

/// <summary>
/// Writes an image's tree below a directory that only this process can reach. Every name is resolved by the kernel
/// beneath that directory's descriptor, through no symbolic link (openat2); everything is made anew (O_EXCL), so that
/// no entry can write to, or change, what another one or the host has.
/// </summary>
internal sealed unsafe partial class TreeWriter : ITreeSink, IDisposable
{
    // Marks by which a directory shows, while the tree is being written, whether it had an entry of its own.
    private const uint ListedMark = 0x1c0;
    private const uint ImpliedMark = 0x1c1;
    private const uint ImpliedMode = 0x1ed;
    private const int MostImpliedBytes = 8 << 20;

    private readonly Fd _root;
    private readonly bool _privileged = Libc.geteuid() == 0;
    private readonly ParentCache _parents = new();
    private readonly DirectoryJournal _journal;
    private readonly List<byte[]> _implied = [];
    private byte[] _parentBuffer = new byte[4200];
    private byte[] _nameBuffer = new byte[300];
    private byte[] _linkBuffer = new byte[4200];
    private int _impliedBytes;

    /// <summary>Takes an empty directory.</summary>
    /// <param name="root">The tree's directory; stays the caller's to close.</param>
    /// <param name="workDirectory">A private directory for a temporary file.</param>
    public TreeWriter(Fd root, string workDirectory)
    {
        _root = root;
        _journal = new DirectoryJournal(workDirectory);
        ErrnoException.ThrowIfFailed(Libc.fchmod(root.Number, ListedMark), "fchmod");
    }

    /// <summary>Directories that the archive has no entry for, known once the tree is complete.</summary>
    public IReadOnlyList<byte[]> Implied => _implied;

    /// <summary>Number of extended attributes that were left out.</summary>
    public int AttributesLeftOut { get; private set; }

    /// <summary>One that was left out, for a message.</summary>
    public string? AttributeLeftOut { get; private set; }

    public void SetRoot(TarEntry entry)
    {
        try
        {
            ApplyToDirectory(_root.Number, entry);
            _journal.Add([], ModeOf(entry), entry.ModifyTime, implied: false);
        }
        catch (ErrnoException e)
        {
            throw Explain(entry, e);
        }
    }

    public void Add(byte[] path, TarEntry entry, byte[] target, TarReader data)
    {
        try
        {
            Fd parent = OpenParent(path, out ReadOnlySpan<byte> name);
            fixed (byte* n = Terminate(ref _nameBuffer, name))
            {
                switch (entry.Type)
                {
                    case TarEntryType.Directory:
                        AddDirectory(path, entry, parent.Number, n);
                        break;
                    case TarEntryType.File:
                        AddFile(entry, parent.Number, n, data);
                        break;
                    case TarEntryType.SymbolicLink:
                        AddSymbolicLink(entry, parent.Number, n);
                        break;
                    case TarEntryType.HardLink:
                        AddHardLink(entry, target, parent.Number, n);
                        break;
                    default:
                        AddSpecial(entry, parent.Number, n);
                        break;
                }
            }
        }
        catch (ErrnoException e)
        {
            throw Explain(entry, e);
        }
    }

    /// <summary>Gives every directory its mode and time.</summary>
    public void Complete()
    {
        _parents.Dispose();
        List<(byte[] Path, uint Mode)> late = [];
        foreach (DirectoryJournal.Item item in _journal.Read())
        {
            using Fd directory = OpenForChange(item.Path);
            uint mode = item.Mode;
            if (item.Implied)
            {
                if ((directory.Stat().Mode & 0xfff) != ImpliedMark)
                {
                    continue;
                }

                _implied.Add(item.Path);
            }

            SetTime(directory.Number, item.Time);
            if (!_privileged && (mode & ListedMark) != ListedMark)
            {
                // Without privileges such a directory would shut out what comes after it.
                late.Add((item.Path, mode));
                continue;
            }

            ErrnoException.ThrowIfFailed(Libc.fchmod(directory.Number, mode), "fchmod");
        }

        foreach ((byte[] path, uint mode) in late.OrderByDescending(l => l.Path.Length))
        {
            using Fd directory = OpenForChange(path);
            ErrnoException.ThrowIfFailed(Libc.fchmod(directory.Number, mode), "fchmod");
        }
    }

    public void Dispose()
    {
        _parents.Dispose();
        _journal.Dispose();
    }

    private Fd OpenForChange(byte[] path)
    {
        fixed (byte* p = Terminate(ref _parentBuffer, path.Length == 0 ? "."u8 : path))
        {
            return Fd.Own(Libc.OpenBeneath(_root.Number, p, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW), "openat2");
        }
    }

    private Fd OpenParent(byte[] path, out ReadOnlySpan<byte> name)
    {
        int slash = path.AsSpan().LastIndexOf((byte)'/');
        name = path.AsSpan(slash + 1);
        return slash < 0 ? _root : OpenDirectory(path.AsSpan(0, slash), make: true);
    }

    private Fd OpenDirectory(ReadOnlySpan<byte> path, bool make)
    {
        if (_parents.Find(path) is { } known)
        {
            return known;
        }

        int fd;
        fixed (byte* p = Terminate(ref _parentBuffer, path))
        {
            fd = Libc.OpenBeneath(_root.Number, p, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW);
        }

        Fd directory = fd < 0 && make && Errno.Last == Errno.ENOENT ? MakeDirectories(path) : Fd.Own(fd, "openat2");
        _parents.Add(path, directory);
        return directory;
    }

    /// <summary>Makes the directories above an entry that the archive has no entries for.</summary>
    private Fd MakeDirectories(ReadOnlySpan<byte> path)
    {
        Fd? current = null;
        int from = 0;
        while (from < path.Length)
        {
            int length = path[from..].IndexOf((byte)'/');
            int to = length < 0 ? path.Length : from + length;
            int parent = (current ?? _root).Number;
            int fd;
            fixed (byte* n = Terminate(ref _parentBuffer, path[from..to]))
            {
                fd = Libc.openat(parent, n, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0);
                if (fd < 0 && Errno.Last == Errno.ENOENT)
                {
                    ErrnoException.ThrowIfFailed(Libc.mkdirat(parent, n, ImpliedMark), "mkdirat");
                    fd = Libc.openat(parent, n, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0);
                    MarkImplied(fd, path[..to]);
                }
            }

            Fd next = Fd.Own(fd, "openat");
            current?.Dispose();
            current = next;
            from = to + 1;
        }

        return current!;
    }

    private void MarkImplied(int fd, ReadOnlySpan<byte> path)
    {
        ErrnoException.ThrowIfFailed(fd, "openat");
        if (_privileged)
        {
            ErrnoException.ThrowIfFailed(Libc.fchown(fd, 0, 0), "fchown");
        }

        ErrnoException.ThrowIfFailed(Libc.fchmod(fd, ImpliedMark), "fchmod");
        _journal.Add(path, ImpliedMode, default, implied: true);
        _impliedBytes += path.Length + 64;
        if (_impliedBytes > MostImpliedBytes)
        {
            throw new ImageException(ImageFailure.LimitExceeded, "too many of its directories have no entry of their own");
        }
    }

    /// <summary>Copies bytes with a NUL after them into a buffer that is used again.</summary>
    private static ReadOnlySpan<byte> Terminate(ref byte[] buffer, ReadOnlySpan<byte> text)
    {
        if (buffer.Length <= text.Length)
        {
            buffer = new byte[text.Length + 1];
        }

        text.CopyTo(buffer);
        buffer[text.Length] = 0;
        return buffer;
    }

    private uint ModeOf(TarEntry entry) => _privileged ? entry.Mode : entry.Mode & 0x3ff;
}
