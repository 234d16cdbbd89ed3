using Appc.Images.Tar;

namespace Appc.Images.Building;

/// <summary>
/// A tree that is put together from entries in any order. Hard links are held as names of one file, so that whichever
/// name comes first in the image can have the content.
/// </summary>
internal sealed class EntryTree(EntryTimes times) : ITreeSource
{
    private static readonly byte[] Root = "rootfs"u8.ToArray();

    private readonly SortedDictionary<byte[], FileNode> _nodes = new(TreeOrder.Instance);
    private readonly List<(byte[] Path, byte[] Target, TarEntry Entry)> _links = [];

    /// <summary>Adds what another image has, in that image's order.</summary>
    public void Keep(byte[] path, TarEntry entry, byte[] target, Func<Stream>? content)
    {
        _nodes[path] = entry.Type == TarEntryType.HardLink ? _nodes[target] : new FileNode(entry, content);
    }

    /// <summary>Leaves out a path and everything below it.</summary>
    public void Remove(string path)
    {
        byte[] clean = Clean(System.Text.Encoding.UTF8.GetBytes(path));
        if (clean.Length == 0)
        {
            throw Bad("the tree's own directory cannot be removed", "remove what is in it, or give an entry for it that says what is to change");
        }

        byte[] below = [.. clean, (byte)'/'];
        List<byte[]> gone = [.. _nodes.Keys.Where(k => k.AsSpan().SequenceEqual(clean) || k.AsSpan().StartsWith(below))];
        if (gone.Count == 0)
        {
            throw new ImageException(ImageFailure.NotFound, $"the image has nothing at '{ByteText.Show(clean)}' to remove");
        }

        gone.ForEach(k => _nodes.Remove(k));
    }

    /// <summary>Adds entries, each in the place of what has its name.</summary>
    /// <exception cref="ImageException">An entry is nothing that an image can hold, or two have the same name.</exception>
    public void Add(IEnumerable<AciEntry> entries)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (AciEntry entry in entries)
        {
            byte[] path = Clean(entry.PathBytes.Span);
            TarEntry described = Describe(entry, path);
            if (!names.Add(System.Text.Encoding.Latin1.GetString(path)))
            {
                throw EntryFaults.Duplicate(described);
            }

            if (path.Length == 0 && entry.Type != AciEntryType.Directory)
            {
                throw Bad("the entry for the tree's own directory is no directory");
            }

            if (entry.Type == AciEntryType.HardLink)
            {
                _nodes.Remove(path);
                _links.Add((path, Clean(entry.LinkTargetBytes.GetValueOrDefault().Span, path), described));
            }
            else
            {
                _nodes[path] = new FileNode(described, entry.OpenContent);
            }
        }

        FollowLinks();
    }

    public void Walk(Action<TarEntry, Stream?> take)
    {
        if (!_nodes.ContainsKey([]))
        {
            _nodes[[]] = new FileNode(Describe(AciEntry.Directory(""), []), null);
        }

        LayoutChecker layout = new();
        foreach ((byte[] path, FileNode node) in _nodes)
        {
            TarEntry entry = node.Entry;
            entry.Name = path.Length == 0 ? Root : [.. Root, (byte)'/', .. path];
            if (node.FirstName is { } first)
            {
                entry = LinkTo(first, entry);
                layout.Check(path, entry, first);
                take(entry, null);
                continue;
            }

            node.FirstName = path;
            if (path.Length == 0)
            {
                layout.SetRoot(entry);
            }
            else
            {
                layout.Check(path, entry, []);
            }

            using Stream? content = Open(node, entry);
            take(entry, content);
        }
    }

    private static Stream? Open(FileNode node, TarEntry entry)
    {
        Stream? content = null;
        try
        {
            content = node.Content?.Invoke();
            if (content is not null && entry.Length < 0)
            {
                entry.Length = content.Length;
            }

            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            content?.Dispose();
            throw StorageFaults.From(e, $"the content of '{entry.ShownName}' cannot be read");
        }
    }

    /// <summary>Makes links names of their files; a link may lead to a link, in any order.</summary>
    private void FollowLinks()
    {
        List<(byte[] Path, byte[] Target, TarEntry Entry)> left = _links;
        while (left.Count > 0)
        {
            List<(byte[], byte[], TarEntry)> open = [];
            foreach ((byte[] path, byte[] target, TarEntry entry) in left)
            {
                if (!_nodes.TryGetValue(target, out FileNode? node))
                {
                    open.Add((path, target, entry));
                }
                else if (node.Entry.Type == TarEntryType.Directory)
                {
                    throw EntryFaults.TargetIsDirectory(entry);
                }
                else
                {
                    _nodes[path] = node;
                }
            }

            if (open.Count == left.Count)
            {
                throw EntryFaults.Bad(open[0].Item3, $"is a hard link to '{ByteText.Show(open[0].Item3.LinkName)}', which is not in the tree");
            }

            left = open;
        }

        _links.Clear();
    }

    private static TarEntry LinkTo(byte[] first, TarEntry file) => new()
    {
        Type = TarEntryType.HardLink,
        Name = file.Name,
        LinkName = [.. Root, (byte)'/', .. first],
        Mode = file.Mode,
        Uid = file.Uid,
        Gid = file.Gid,
        ModifyTime = file.ModifyTime,
    };

    private TarEntry Describe(AciEntry entry, byte[] path)
    {
        TarEntry described = new()
        {
            Type = (TarEntryType)entry.Type,
            Name = [.. Root, (byte)'/', .. path],
            LinkName = entry.LinkTargetBytes?.ToArray() ?? [],
            ModifyTime = times.For(EntryTimes.Of(entry.ModifyTime)),
            Length = entry.Type == AciEntryType.File ? entry.Length ?? -1 : 0,
            Attributes = [.. entry.Attributes.Select(a => new TarAttribute(System.Text.Encoding.UTF8.GetBytes(a.Key), a.Value))],
        };
        described.Mode = Number(entry.Mode, 0xfff, "a mode");
        described.Uid = Number(entry.Uid, uint.MaxValue - 1, "an owner");
        described.Gid = Number(entry.Gid, uint.MaxValue - 1, "a group");
        described.DeviceMajor = Number(entry.DeviceMajor, 0xfff, "a device number");
        described.DeviceMinor = Number(entry.DeviceMinor, 0xfffff, "a device number");
        if (entry.Type is AciEntryType.SymbolicLink && (described.LinkName.Length == 0 || described.LinkName.Contains((byte)0)))
        {
            throw EntryFaults.Bad(described, "is a symbolic link without a proper target");
        }

        foreach (TarAttribute attribute in described.Attributes)
        {
            if (attribute.Name.Length == 0 || attribute.Name.Contains((byte)0))
            {
                throw EntryFaults.Bad(described, "has an extended attribute without a proper name");
            }
        }

        return described;

        uint Number(long value, uint most, string what) =>
            value >= 0 && value <= most ? (uint)value : throw EntryFaults.Bad(described, $"has {what} out of range: {value}");
    }

    private static byte[] Clean(ReadOnlySpan<byte> path, byte[]? linkName = null)
    {
        ReadOnlySpan<byte> relative = path.TrimStart((byte)'/');
        return relative.IsEmpty ? [] : EntryPath.Clean(relative, linkName);
    }

    private static ImageException Bad(string message, string? hint = null) => new(ImageFailure.BadArchive, message, hint);

    /// <summary>A file, whatever its names.</summary>
    private sealed record FileNode(TarEntry Entry, Func<Stream>? Content)
    {
        /// <summary>The name that had the content, once it was given out.</summary>
        public byte[]? FirstName { get; set; }
    }
}
