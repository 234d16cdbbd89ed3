namespace Appc.Images.Tar;

/// <summary>What extended headers say about entries. A key whose value is empty is taken back.</summary>
internal sealed class PaxRecords
{
    private const string AttributePrefix = "SCHILY.xattr.";
    private const int LargestAttribute = 64 << 10;
    private const int MostAttributes = 512;

    private readonly List<TarAttribute> _attributes = [];
    private readonly List<(string Key, long Value)> _sparse00 = [];

    public byte[]? Path { get; private set; }

    public byte[]? LinkPath { get; private set; }

    public long? Size { get; private set; }

    public long? Uid { get; private set; }

    public long? Gid { get; private set; }

    public TarTime? ModifyTime { get; private set; }

    public IReadOnlyList<TarAttribute> Attributes => _attributes;

    public long? SparseMajor { get; private set; }

    public long? SparseMinor { get; private set; }

    public byte[]? SparseName { get; private set; }

    public long? SparseRealSize { get; private set; }

    /// <summary>Format 0.1's list of numbers.</summary>
    public byte[]? SparseMap { get; private set; }

    /// <summary>Format 0.0's repeated offset and numbytes, in order.</summary>
    public IReadOnlyList<(string Key, long Value)> SparsePairs => _sparse00;

    public bool IsSparse => SparseMajor is not null || SparseMap is not null || _sparse00.Count > 0 || SparseRealSize is not null;

    /// <summary>Adds the records of an extended header's body.</summary>
    public void Add(ReadOnlySpan<byte> body, bool global)
    {
        while (!body.IsEmpty)
        {
            int space = body.IndexOf((byte)' ');
            if (space <= 0 || space > 19
                || body[..space].IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0
                || !TarNumber.TryParseDecimal(body[..space], out long length)
                || length <= space + 1 || length > body.Length)
            {
                throw Bad("a record of an extended header has a wrong length");
            }

            ReadOnlySpan<byte> record = body[(space + 1)..(int)length];
            body = body[(int)length..];
            int equals = record.IndexOf((byte)'=');
            if (record[^1] != (byte)'\n' || equals <= 0)
            {
                throw Bad("a record of an extended header is not of the form KEY=VALUE");
            }

            Set(record[..equals], record[(equals + 1)..^1], global);
        }
    }

    /// <summary>These records laid over global ones.</summary>
    public void AddDefaults(PaxRecords global)
    {
        Uid ??= global.Uid;
        Gid ??= global.Gid;
        ModifyTime ??= global.ModifyTime;
        foreach (TarAttribute attribute in global._attributes)
        {
            if (!_attributes.Exists(a => a.Name.AsSpan().SequenceEqual(attribute.Name)))
            {
                _attributes.Add(attribute);
            }
        }
    }

    private void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool global)
    {
        string name = System.Text.Encoding.Latin1.GetString(key);
        if (global && (name is "path" or "linkpath" or "size" || name.StartsWith("GNU.sparse.", StringComparison.Ordinal)))
        {
            throw Bad($"a global extended header sets {ByteText.Show(key)} for every entry");
        }

        switch (name)
        {
            case "path":
                Path = Bytes(value);
                break;
            case "linkpath":
                LinkPath = Bytes(value);
                break;
            case "size":
                Size = Number(name, value);
                break;
            case "uid":
                Uid = Number(name, value);
                break;
            case "gid":
                Gid = Number(name, value);
                break;
            case "mtime":
                ModifyTime = value.IsEmpty ? null
                    : TarNumber.TryParseTime(value, out TarTime time) ? time
                    : throw Bad("mtime of an extended header is not a time");
                break;
            case "GNU.sparse.major":
                SparseMajor = Number(name, value);
                break;
            case "GNU.sparse.minor":
                SparseMinor = Number(name, value);
                break;
            case "GNU.sparse.name":
                SparseName = Bytes(value);
                break;
            case "GNU.sparse.size" or "GNU.sparse.realsize":
                SparseRealSize = Number(name, value);
                break;
            case "GNU.sparse.map":
                SparseMap = value.ToArray();
                break;
            case "GNU.sparse.offset" or "GNU.sparse.numbytes":
                _sparse00.Add((name[11..], Number(name, value) ?? throw Bad($"{name} of an extended header is empty")));
                break;
            default:
                if (name.StartsWith(AttributePrefix, StringComparison.Ordinal))
                {
                    SetAttribute(key[AttributePrefix.Length..], value);
                }

                break;
        }
    }

    private void SetAttribute(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.IsEmpty || name.Contains((byte)0))
        {
            throw Bad("an extended attribute has no proper name");
        }

        if (value.Length > LargestAttribute)
        {
            throw Bad($"the extended attribute {ByteText.Show(name)} is larger than 64 KiB");
        }

        if (_attributes.Count == MostAttributes)
        {
            throw new ImageException(ImageFailure.LimitExceeded, $"there are more than {MostAttributes} extended attributes");
        }

        byte[] bytes = TarAttribute.DecodeName(name);
        _attributes.RemoveAll(a => a.Name.AsSpan().SequenceEqual(bytes));
        _attributes.Add(new TarAttribute(bytes, value.ToArray()));
    }

    private static byte[]? Bytes(ReadOnlySpan<byte> value) => value.IsEmpty ? null
        : value.Contains((byte)0) ? throw Bad("a name in an extended header holds a NUL byte")
        : value.ToArray();

    private static long? Number(string key, ReadOnlySpan<byte> value) => value.IsEmpty ? null
        : TarNumber.TryParseDecimal(value, out long number) && number >= 0 ? number
        : throw Bad($"{key} of an extended header is not a number in range");

    private static ImageException Bad(string message) => new(ImageFailure.BadArchive, message);
}
