using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images.Verification;

/// <summary>
/// Computes a digest over a tree: names, types, modes, owners, times, contents, targets, device numbers, hard links and
/// extended attributes, by a rule that any language can follow (docs/images.md).
/// </summary>
internal sealed class TreeDigester : IDisposable
{
    private const int ReadBytes = 256 << 10;

    private readonly CancellationToken _cancellation;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Dictionary<(uint, uint, ulong), long> _links = [];
    private readonly byte[] _buffer = new byte[ReadBytes];
    private long _records;

    public TreeDigester(CancellationToken cancellationToken) => _cancellation = cancellationToken;

    /// <summary>Told of each file that is met, with its path below the tree.</summary>
    public Action<byte[], TreeNode>? OnNode { get; init; }

    /// <summary>Gives the SHA-256 of a file whose content was read a moment ago; null makes it be read.</summary>
    public Func<byte[], byte[]?>? KnownContent { get; init; }

    /// <summary>Number of files that went into the digest.</summary>
    public long Records => _records;

    public string Compute(Fd root)
    {
        _records = 0;
        _links.Clear();
        using TreeNode top = TreeNode.OfRoot(root);
        Take([], top);
        Walk(root, []);
        return "sha256-" + Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public void Dispose() => _hash.Dispose();

    private void Walk(Fd directory, byte[] path)
    {
        _cancellation.ThrowIfCancellationRequested();
        List<(byte[] Name, byte Type)> children = DirectoryReader.Read(directory);
        children.Sort((a, b) => ByteOrder.Instance.Compare(a.Name, b.Name));
        foreach ((byte[] name, _) in children)
        {
            ReadOnlySpan<byte> bare = name.AsSpan(0, name.Length - 1);
            byte[] child = path.Length == 0 ? bare.ToArray() : [.. path, (byte)'/', .. bare];
            using TreeNode? node = TreeNode.TryOpen(directory, name);
            if (node is not null)
            {
                Take(child, node);
                if (node.IsDirectory)
                {
                    Walk(node.File, child);
                }
            }
        }
    }

    private void Take(byte[] path, TreeNode node)
    {
        OnNode?.Invoke(path, node);
        Field(path);
        Field(Letter(node.Type));
        Field(Convert.ToString(node.Mode, 8).PadLeft(4, '0'));
        Field(Number(node.Stat.Uid));
        Field(Number(node.Stat.Gid));
        Field($"{Number(node.Time.Seconds)}.{node.Time.Nanoseconds.ToString("D9", CultureInfo.InvariantCulture)}");
        switch (node.Type)
        {
            case Libc.S_IFREG:
                Field(Convert.ToHexStringLower(KnownContent?.Invoke(path) ?? HashContent(node)));
                break;
            case Libc.S_IFLNK:
                Field(node.ReadLink());
                break;
            case Libc.S_IFCHR or Libc.S_IFBLK:
                Field($"{Number(node.Stat.RdevMajor)}:{Number(node.Stat.RdevMinor)}");
                break;
            default:
                Field("");
                break;
        }

        Field(FirstLink(node));
        List<TarAttribute> attributes = node.ReadAttributes();
        Field(Number(attributes.Count));
        foreach (TarAttribute attribute in attributes)
        {
            Field(attribute.Name);
            Field(attribute.Value);
        }

        _records++;
    }

    private string FirstLink(TreeNode node)
    {
        if (node.IsDirectory || node.Stat.Links < 2)
        {
            return "";
        }

        (uint, uint, ulong) key = (node.Stat.DevMajor, node.Stat.DevMinor, node.Stat.Inode);
        return _links.TryAdd(key, _records) ? "" : Number(_links[key]);
    }

    private byte[] HashContent(TreeNode node)
    {
        using IncrementalHash content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long offset = 0;
        int length;
        while ((length = node.Read(_buffer, offset)) > 0)
        {
            _cancellation.ThrowIfCancellationRequested();
            content.AppendData(_buffer, 0, length);
            offset += length;
        }

        return content.GetHashAndReset();
    }

    private static string Letter(uint type) => type switch
    {
        Libc.S_IFREG => "f",
        Libc.S_IFDIR => "d",
        Libc.S_IFLNK => "l",
        Libc.S_IFCHR => "c",
        Libc.S_IFBLK => "b",
        Libc.S_IFIFO => "p",
        _ => "s",
    };

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private void Field(string ascii) => Field(Encoding.ASCII.GetBytes(ascii));

    // A netstring: its length goes before it, so that no two trees give the same bytes.
    private void Field(ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[24];
        bytes.Length.TryFormat(length, out int digits, provider: CultureInfo.InvariantCulture);
        length[digits++] = (byte)':';
        _hash.AppendData(length[..digits]);
        _hash.AppendData(bytes);
        _hash.AppendData(","u8);
    }
}
