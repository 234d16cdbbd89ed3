using Appc.Images.Tar;

namespace Appc.Images;

/// <summary>
/// Holds entries against each other without writing them: the rules that a file system enforces during extraction,
/// for validators and for systems that store no trees. Paths are remembered as 128 bits of their hash.
/// </summary>
internal sealed class LayoutChecker : ITreeSink
{
    private readonly Dictionary<UInt128, Kind> _seen = [];

    private enum Kind : byte
    {
        Directory,
        ImpliedDirectory,
        Other,
    }

    public void SetRoot(TarEntry entry) => CheckAttributes(entry);

    public void Add(byte[] path, TarEntry entry, byte[] target, TarReader data)
    {
        Check(path, entry, target);
        while (!data.ReadData().IsEmpty)
        {
        }
    }

    /// <summary>Looks whether an entry fits those before it.</summary>
    public void Check(byte[] path, TarEntry entry, byte[] target)
    {
        CheckAttributes(entry);
        CheckParents(path, entry);
        UInt128 key = PathKey.Of(path);
        bool known = _seen.TryGetValue(key, out Kind before);
        if (known && !(before == Kind.ImpliedDirectory && entry.Type == TarEntryType.Directory))
        {
            throw EntryFaults.Duplicate(entry);
        }

        switch (entry.Type)
        {
            case TarEntryType.HardLink:
                if (!_seen.TryGetValue(PathKey.Of(target), out Kind kind))
                {
                    throw EntryFaults.MissingTarget(entry);
                }

                if (kind != Kind.Other)
                {
                    throw EntryFaults.TargetIsDirectory(entry);
                }

                break;
            case TarEntryType.CharacterDevice when entry is { DeviceMajor: 0, DeviceMinor: 0 }:
                throw EntryFaults.Whiteout(entry);
            default:
                break;
        }

        _seen[key] = entry.Type == TarEntryType.Directory ? Kind.Directory : Kind.Other;
    }

    public void Complete()
    {
    }

    private static void CheckAttributes(TarEntry entry)
    {
        foreach (TarAttribute attribute in entry.Attributes)
        {
            if (AttributePolicy.Decide(attribute.Name) == AttributePolicy.Verdict.Refuse)
            {
                throw EntryFaults.OverlayAttribute(entry, attribute);
            }
        }
    }

    // From the bottom up: above a directory that is known, all are known.
    private void CheckParents(byte[] path, TarEntry entry)
    {
        ReadOnlySpan<byte> rest = path;
        int slash;
        while ((slash = rest.LastIndexOf((byte)'/')) >= 0)
        {
            rest = rest[..slash];
            UInt128 key = PathKey.Of(rest);
            if (_seen.TryGetValue(key, out Kind kind))
            {
                if (kind == Kind.Other)
                {
                    throw EntryFaults.BelowFile(entry);
                }

                return;
            }

            _seen.Add(key, Kind.ImpliedDirectory);
        }
    }
}
