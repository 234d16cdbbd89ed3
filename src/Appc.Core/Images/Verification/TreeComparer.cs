using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images.Verification;

/// <summary>Holds a rendered tree against one that was rendered anew. Files that are one and the same need no look inside.</summary>
internal sealed class TreeComparer(string prefix, FindingCollector findings, CancellationToken cancellationToken)
{
    private const int ReadBytes = 256 << 10;

    private readonly byte[] _one = new byte[ReadBytes];
    private readonly byte[] _other = new byte[ReadBytes];

    public void Compare(Fd expected, Fd actual)
    {
        using TreeNode one = TreeNode.OfRoot(expected);
        using TreeNode other = TreeNode.OfRoot(actual);
        CompareNodes([], one, other);
    }

    private void CompareChildren(Fd expected, Fd actual, byte[] path)
    {
        cancellationToken.ThrowIfCancellationRequested();
        HashSet<byte[]> left = new(Names(actual), ByteComparer.Instance);
        foreach (byte[] name in Names(expected))
        {
            byte[] child = [.. path, (byte)'/', .. name.AsSpan(0, name.Length - 1)];
            left.Remove(name);
            using TreeNode? one = TreeNode.TryOpen(expected, name);
            using TreeNode? other = TreeNode.TryOpen(actual, name);
            if (other is null || one is null)
            {
                Add(child, "is missing");
            }
            else
            {
                CompareNodes(child, one, other);
            }
        }

        foreach (byte[] name in left.Order(ByteOrder.Instance))
        {
            Add([.. path, (byte)'/', .. name.AsSpan(0, name.Length - 1)], "is not in the images that the tree was rendered from");
        }
    }

    private void CompareNodes(byte[] path, TreeNode expected, TreeNode actual)
    {
        if (expected.Stat.IsSameFile(actual.Stat))
        {
            return;
        }

        if (expected.Type != actual.Type)
        {
            Add(path, $"is {TreeVerifier.TypeName(actual.Type)} instead of {TreeVerifier.TypeName(expected.Type)}");
            return;
        }

        if (expected.Stat.Uid != actual.Stat.Uid || expected.Stat.Gid != actual.Stat.Gid || expected.Mode != actual.Mode)
        {
            Add(path, "has another owner or mode than in the images that the tree was rendered from");
        }

        if (expected.Time != actual.Time)
        {
            Add(path, "has another modification time than in the images that the tree was rendered from");
        }

        if (!SameAttributes(expected.ReadAttributes(), actual.ReadAttributes()))
        {
            Add(path, "has other extended attributes than in the images that the tree was rendered from");
        }

        bool same = expected.Type switch
        {
            Libc.S_IFREG => SameContent(expected, actual),
            Libc.S_IFLNK => expected.ReadLink().AsSpan().SequenceEqual(actual.ReadLink()),
            _ => (expected.Stat.RdevMajor, expected.Stat.RdevMinor) == (actual.Stat.RdevMajor, actual.Stat.RdevMinor),
        };
        if (!same)
        {
            Add(path, "differs from the images that the tree was rendered from");
        }

        if (expected.IsDirectory)
        {
            CompareChildren(expected.File, actual.File, path);
        }
    }

    private bool SameContent(TreeNode expected, TreeNode actual)
    {
        long offset = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = expected.Read(_one, offset);
            if (actual.Read(_other, offset) != length || !_one.AsSpan(0, length).SequenceEqual(_other.AsSpan(0, length)))
            {
                return false;
            }

            if (length == 0)
            {
                return true;
            }

            offset += length;
        }
    }

    private static bool SameAttributes(List<TarAttribute> one, List<TarAttribute> other) =>
        one.Count == other.Count
        && one.Zip(other).All(p => p.First.Name.AsSpan().SequenceEqual(p.Second.Name) && p.First.Value.AsSpan().SequenceEqual(p.Second.Value));

    private static IEnumerable<byte[]> Names(Fd directory) => DirectoryReader.Read(directory).Select(e => e.Name);

    private void Add(byte[] path, string message) =>
        findings.Add(ImagePart.Rendered, $"{prefix}{ByteText.Show(path)}", message);

    private sealed class ByteComparer : IEqualityComparer<byte[]>
    {
        public static ByteComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj)
        {
            HashCode hash = default;
            hash.AddBytes(obj);
            return hash.ToHashCode();
        }
    }
}
