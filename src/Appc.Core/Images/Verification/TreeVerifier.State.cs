using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images.Verification;

/// <content>Owner, mode, time and attributes, as the tree's writer sets them.</content>
internal sealed unsafe partial class TreeVerifier
{
    private void CompareState(byte[] path, TreeNode node, TarEntry entry)
    {
        CompareOwner(path, node, entry.Uid, entry.Gid);
        if (node.Type != Libc.S_IFLNK)
        {
            // Without privileges set-uid and set-gid bits are left out.
            CompareMode(path, node, Privileged ? entry.Mode : entry.Mode & 0x3ff);
        }

        CompareTime(path, node, entry.ModifyTime);
        CompareAttributes(path, node, node.Type is Libc.S_IFREG or Libc.S_IFDIR ? entry.Attributes : []);
    }

    private void CompareImplied(byte[] path)
    {
        using TreeNode? node = OpenNode(path);
        if (node is null)
        {
            _findings.Add(ImagePart.Tree, path, "is missing");
            return;
        }

        if (!node.IsDirectory)
        {
            _findings.Add(ImagePart.Tree, path, $"is {TypeName(node.Type)}; in the archive it is a directory");
            return;
        }

        CompareOwner(path, node, 0, 0);
        CompareMode(path, node, ImpliedMode);
        CompareTime(path, node, default);
        CompareAttributes(path, node, []);
    }

    private void CompareOwner(byte[] path, TreeNode node, uint uid, uint gid)
    {
        if (!Privileged)
        {
            (uid, gid) = (_owner.Uid, _owner.Gid);
        }

        if (node.Stat.Uid != uid || node.Stat.Gid != gid)
        {
            _findings.Add(ImagePart.Tree, path, $"belongs to {node.Stat.Uid}:{node.Stat.Gid} instead of {uid}:{gid}");
        }
    }

    private void CompareMode(byte[] path, TreeNode node, uint mode)
    {
        if (node.Mode != mode)
        {
            _findings.Add(ImagePart.Tree, path, $"has mode {Octal(node.Mode)} instead of {Octal(mode)}");
        }
    }

    private void CompareTime(byte[] path, TreeNode node, TarTime time)
    {
        if (node.Time != time && node.Time != _probe.Time(time))
        {
            _findings.Add(ImagePart.Tree, path, "has another modification time than in the archive");
        }
    }

    private void CompareAttributes(byte[] path, TreeNode node, IReadOnlyList<TarAttribute> entryAttributes)
    {
        List<TarAttribute> actual = node.ReadAttributes();
        foreach (TarAttribute attribute in entryAttributes.Where(a => AttributePolicy.Decide(a.Name) == AttributePolicy.Verdict.Keep))
        {
            bool capability = attribute.Name.AsSpan().SequenceEqual("security.capability"u8);
            if (capability && !Privileged)
            {
                continue;
            }

            int index = actual.FindIndex(a => a.Name.AsSpan().SequenceEqual(attribute.Name));
            byte[]? value = index < 0 ? null : actual[index].Value;
            if (index >= 0)
            {
                actual.RemoveAt(index);
            }

            if (value is not null && value.AsSpan().SequenceEqual(attribute.Value))
            {
                continue;
            }

            // The kernel rewrites capabilities, and refuses those that are none.
            byte[]? expected = capability ? _probe.Attribute(attribute) : attribute.Value;
            if (value is null ? expected is not null : expected is null || !value.AsSpan().SequenceEqual(expected))
            {
                _findings.Add(ImagePart.Tree, path, $"{(value is null ? "lacks" : "has another value of")} the extended attribute {ByteText.Show(attribute.Name)}");
            }
        }

        foreach (TarAttribute left in actual)
        {
            _findings.Add(ImagePart.Tree, path, $"has the extended attribute {ByteText.Show(left.Name)}, which is not in the archive");
        }
    }

    private static string Octal(uint mode) => Convert.ToString(mode, 8).PadLeft(4, '0');
}
