using System.Security.Cryptography;
using Appc.Images.Extraction;
using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images.Verification;

/// <summary>
/// Holds each entry of an archive, as it streams past, against the file on disk, by the rules by which the tree was
/// written; afterwards the tree is walked for what the archive does not have. Changes nothing.
/// </summary>
internal sealed unsafe partial class TreeVerifier : ITreeSink, IDisposable
{
    private const int ReadBytes = 256 << 10;
    private const int MostHashes = 200_000;
    private const uint ImpliedMode = 0x1ed;

    private readonly Fd _root;
    private readonly Libc.Statx _rootStat;
    private readonly Libc.Statx _owner;
    private readonly FindingCollector _findings;
    private readonly FileSystemProbe _probe;
    private readonly CancellationToken _cancellation;
    private readonly ParentCache _parents = new();
    private readonly HashSet<UInt128> _listed = [];
    private readonly Dictionary<UInt128, byte[]> _implied = [];
    private readonly HashSet<ulong> _linked = [];
    private readonly Dictionary<UInt128, byte[]> _hashes = [];
    private readonly byte[] _buffer = new byte[ReadBytes];
    private byte[] _lastParent = [];

    /// <summary>Takes a tree and who imported it.</summary>
    /// <param name="root">The tree's directory; stays the caller's to close.</param>
    /// <param name="owner">The image's own directory: if it is not root's, the tree was written without privileges.</param>
    /// <param name="findings">Takes what differs.</param>
    /// <param name="probe">Knows the file system's ways.</param>
    /// <param name="cancellationToken">Cancels the walk.</param>
    public TreeVerifier(Fd root, Libc.Statx owner, FindingCollector findings, FileSystemProbe probe, CancellationToken cancellationToken)
    {
        _root = root;
        _rootStat = root.Stat();
        _owner = owner;
        _findings = findings;
        _probe = probe;
        _cancellation = cancellationToken;
    }

    private bool Privileged => _owner.Uid == 0;

    public void SetRoot(TarEntry entry) => Guard([], () =>
    {
        using TreeNode node = TreeNode.OfRoot(_root);
        CompareState([], node, entry);
    });

    public void Add(byte[] path, TarEntry entry, byte[] target, TarReader data)
    {
        Remember(path, entry);
        Guard(path, () => Compare(path, entry, target, data));
    }

    public void Complete()
    {
        foreach (byte[] path in _implied.Values)
        {
            Guard(path, () => CompareImplied(path));
        }
    }

    /// <summary>The directories without an entry, in the order of their names.</summary>
    public IEnumerable<byte[]> Implied => _implied.Values.Order(ByteOrder.Instance);

    /// <summary>Walks the tree for what the archive does not have, and computes the tree's digest on the way.</summary>
    public string? Walk(Fd root, out long files)
    {
        string? digest = null;
        using TreeDigester digester = new(_cancellation)
        {
            KnownContent = path => _hashes.GetValueOrDefault(PathKey.Of(path)),
            OnNode = CheckKnown,
        };
        Guard([], () => digest = digester.Compute(root));
        files = digester.Records;
        return digest;
    }

    public void Dispose() => _parents.Dispose();

    private void CheckKnown(byte[] path, TreeNode node)
    {
        if (node.Stat.DevMajor != _rootStat.DevMajor || node.Stat.DevMinor != _rootStat.DevMinor)
        {
            _findings.Add(ImagePart.Tree, path, "lies on another file system, which is mounted there");
        }

        if (path.Length > 0)
        {
            UInt128 key = PathKey.Of(path);
            if (!_listed.Contains(key) && !_implied.ContainsKey(key))
            {
                _findings.Add(ImagePart.Tree, path, "is not in the archive");
            }
        }
    }

    private void Remember(byte[] path, TarEntry entry)
    {
        UInt128 key = PathKey.Of(path);
        _listed.Add(key);
        if (entry.Type == TarEntryType.Directory)
        {
            _implied.Remove(key);
        }

        ReadOnlySpan<byte> rest = path;
        int slash = rest.LastIndexOf((byte)'/');
        if (slash < 0 || rest[..slash].SequenceEqual(_lastParent))
        {
            return;
        }

        _lastParent = rest[..slash].ToArray();
        for (; slash >= 0; slash = rest.LastIndexOf((byte)'/'))
        {
            rest = rest[..slash];
            UInt128 parent = PathKey.Of(rest);
            if (_listed.Contains(parent) || !_implied.TryAdd(parent, rest.ToArray()))
            {
                return;
            }
        }
    }

    private void Compare(byte[] path, TarEntry entry, byte[] target, TarReader data)
    {
        using TreeNode? node = OpenNode(path);
        if (node is null)
        {
            _findings.Add(ImagePart.Tree, path, "is missing");
            return;
        }

        if (entry.Type == TarEntryType.HardLink)
        {
            using TreeNode? other = OpenNode(target);
            if (other is null || !other.Stat.IsSameFile(node.Stat))
            {
                _findings.Add(ImagePart.Tree, path, $"is another file than '/{ByteText.Show(target)}', of which it is a hard link in the archive");
            }

            return;
        }

        uint type = TypeOf(entry.Type);
        if (node.Type != type)
        {
            _findings.Add(ImagePart.Tree, path, $"is {TypeName(node.Type)}; in the archive it is {TypeName(type)}");
            return;
        }

        if (!node.IsDirectory && node.Stat.Links > 1 && !_linked.Add(node.Stat.Inode))
        {
            _findings.Add(ImagePart.Tree, path, "is a hard link to another file, and in the archive it is a file of its own");
        }

        CompareState(path, node, entry);
        switch (type)
        {
            case Libc.S_IFREG:
                CompareContent(path, node, entry, data);
                break;
            case Libc.S_IFLNK:
                if (!node.ReadLink().AsSpan().SequenceEqual(entry.LinkName))
                {
                    _findings.Add(ImagePart.Tree, path, $"leads to '{ByteText.Show(node.ReadLink())}'; in the archive to '{ByteText.Show(entry.LinkName)}'");
                }

                break;
            case Libc.S_IFCHR or Libc.S_IFBLK when node.Stat.RdevMajor != entry.DeviceMajor || node.Stat.RdevMinor != entry.DeviceMinor:
                _findings.Add(ImagePart.Tree, path, $"is device {node.Stat.RdevMajor}:{node.Stat.RdevMinor}; in the archive {entry.DeviceMajor}:{entry.DeviceMinor}");
                break;
            default:
                break;
        }
    }

    private void CompareContent(byte[] path, TreeNode node, TarEntry entry, TarReader data)
    {
        if (node.Stat.Size != entry.Length)
        {
            _findings.Add(ImagePart.Tree, path, $"is {node.Stat.Size} bytes long; in the archive {entry.Length}");
            return;
        }

        long offset = entry.Segments is null ? CompareDense(path, node, data) : CompareSparse(node, entry, data);
        if (offset >= 0)
        {
            _findings.Add(ImagePart.Tree, path, $"differs from the archive at byte {offset}");
        }
    }

    /// <summary>Compares a file's bytes with those of the archive; returns where they differ first, or -1.</summary>
    private long CompareDense(byte[] path, TreeNode node, TarReader data)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long offset = 0;
        ReadOnlySpan<byte> chunk;
        while (!(chunk = data.ReadData(ReadBytes)).IsEmpty)
        {
            int same = CommonBytes(node, offset, chunk);
            if (same < chunk.Length)
            {
                return offset + same;
            }

            hash.AppendData(chunk);
            offset += chunk.Length;
        }

        if (_hashes.Count < MostHashes)
        {
            _hashes[PathKey.Of(path)] = hash.GetHashAndReset();
        }

        return -1;
    }

    private long CompareSparse(TreeNode node, TarEntry entry, TarReader data)
    {
        long offset = 0;
        foreach (TarSegment segment in entry.Segments!)
        {
            long end = segment.Offset + segment.Length;
            if (FirstNonZero(node, offset, segment.Offset) is >= 0 and { } at)
            {
                return at;
            }

            for (offset = segment.Offset; offset < end;)
            {
                ReadOnlySpan<byte> chunk = data.ReadData(Math.Min(ReadBytes, end - offset));
                int same = CommonBytes(node, offset, chunk);
                if (same < chunk.Length)
                {
                    return offset + same;
                }

                offset += chunk.Length;
            }
        }

        return FirstNonZero(node, offset, entry.Length);
    }

    private int CommonBytes(TreeNode node, long offset, ReadOnlySpan<byte> chunk)
    {
        _cancellation.ThrowIfCancellationRequested();
        int length = node.Read(_buffer.AsSpan(0, chunk.Length), offset);
        return chunk.CommonPrefixLength(_buffer.AsSpan(0, length));
    }

    private long FirstNonZero(TreeNode node, long from, long to)
    {
        for (long offset = from; offset < to && (offset = node.NextData(offset)) < to;)
        {
            _cancellation.ThrowIfCancellationRequested();
            Span<byte> span = _buffer.AsSpan(0, (int)Math.Min(ReadBytes, to - offset));
            int length = node.Read(span, offset);
            int at = span[..length].IndexOfAnyExcept((byte)0);
            if (at >= 0 || length == 0)
            {
                return offset + Math.Max(at, 0);
            }

            offset += length;
        }

        return -1;
    }

    private TreeNode? OpenNode(byte[] path)
    {
        int slash = path.AsSpan().LastIndexOf((byte)'/');
        Fd? parent = slash < 0 ? _root : OpenDirectory(path.AsSpan(0, slash));
        return parent is null ? null : TreeNode.TryOpen(parent, (byte[])[.. path.AsSpan(slash + 1), 0]);
    }

    private Fd? OpenDirectory(ReadOnlySpan<byte> path)
    {
        if (_parents.Find(path) is { } known)
        {
            return known;
        }

        fixed (byte* p = (byte[])[.. path, 0])
        {
            int fd = Libc.OpenBeneath(_root.Number, p, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW);
            if (fd < 0)
            {
                return Errno.Last is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP ? null : throw new ErrnoException("openat2", Errno.Last);
            }

            Fd directory = Fd.Own(fd, "openat2");
            _parents.Add(path, directory);
            return directory;
        }
    }

    /// <summary>A file that cannot be looked at is a finding like any other.</summary>
    private void Guard(byte[] path, Action look)
    {
        _cancellation.ThrowIfCancellationRequested();
        try
        {
            look();
        }
        catch (ErrnoException e)
        {
            _findings.Add(ImagePart.Tree, path, $"cannot be read: {e.Message}");
        }
    }

    private static uint TypeOf(TarEntryType type) => type switch
    {
        TarEntryType.File => Libc.S_IFREG,
        TarEntryType.Directory => Libc.S_IFDIR,
        TarEntryType.SymbolicLink => Libc.S_IFLNK,
        TarEntryType.CharacterDevice => Libc.S_IFCHR,
        TarEntryType.BlockDevice => Libc.S_IFBLK,
        _ => Libc.S_IFIFO,
    };

    internal static string TypeName(uint type) => type switch
    {
        Libc.S_IFREG => "a file",
        Libc.S_IFDIR => "a directory",
        Libc.S_IFLNK => "a symbolic link",
        Libc.S_IFCHR => "a character device",
        Libc.S_IFBLK => "a block device",
        Libc.S_IFIFO => "a pipe",
        _ => "a socket",
    };
}
