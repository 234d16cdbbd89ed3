namespace Appc.Images.Tar;

/// <summary>
/// Reads tar archives entry by entry: v7, ustar, GNU (long names, base-256 numbers, sparse files) and PAX (local and
/// global headers, sparse files 0.0, 0.1 and 1.0). Names stay bytes. Throws <see cref="ImageException"/>
/// for anything malformed; nothing is allocated because a header announces it.
/// </summary>
internal sealed partial class TarReader
{
    private readonly BlockReader _input;
    private readonly ArchiveLimits _limits;
    private readonly byte[] _header = new byte[TarFormat.BlockSize];
    private readonly PaxRecords _global = new();
    private long _headers;
    private long _expanded;
    private long _dataLeft;
    private int _padding;
    private bool _ended;

    public TarReader(IByteSource source, ArchiveLimits limits)
    {
        _input = new BlockReader(source);
        _limits = limits;
    }

    /// <summary>Offset in the uncompressed archive.</summary>
    public long Position => _input.Position;

    /// <summary>Offset of the header that was read last, for messages; null before the first and after the last.</summary>
    public long? HeaderOffset { get; private set; }

    /// <summary>Name of the entry that is being read, for messages; null where it is not known.</summary>
    public byte[]? EntryName { get; private set; }

    /// <summary>Number of headers seen, extended ones included.</summary>
    public long Headers => _headers;

    /// <summary>The next entry; null at the end. What is left of the entry before is skipped.</summary>
    public TarEntry? Next()
    {
        SkipData();
        PaxRecords? local = null;
        byte[]? longName = null;
        byte[]? longLink = null;
        while (!_ended)
        {
            long offset = Position;
            HeaderOffset = offset;
            EntryName = null;
            if (!ReadHeader())
            {
                break;
            }

            byte flag = _header[TarFormat.TypeFlag];
            switch (flag)
            {
                case TarFormat.PaxLocal:
                    local ??= new PaxRecords();
                    local.Add(ReadExtension("an extended header"), global: false);
                    break;
                case TarFormat.PaxGlobal:
                    _global.Add(ReadExtension("a global extended header"), global: true);
                    break;
                case TarFormat.GnuLongName:
                    longName = ReadLongName();
                    break;
                case TarFormat.GnuLongLink:
                    longLink = ReadLongName();
                    break;
                default:
                    TarEntry entry = ReadEntry(flag, local ?? new PaxRecords(), longName, longLink);
                    entry.Offset = offset;
                    return entry;
            }
        }

        if (local is not null || longName is not null || longLink is not null)
        {
            throw Bad("it ends after an extended header, before the entry that this is for");
        }

        HeaderOffset = null;
        return null;
    }

    /// <summary>The next stored bytes of the entry, without copying; empty after the last.</summary>
    public ReadOnlySpan<byte> ReadData() => ReadData(int.MaxValue);

    /// <summary>The next stored bytes of the entry, at most <paramref name="most"/>.</summary>
    public ReadOnlySpan<byte> ReadData(long most)
    {
        if (_dataLeft == 0)
        {
            return default;
        }

        ReadOnlySpan<byte> data = _input.Read(Math.Min(most, _dataLeft));
        if (data.IsEmpty)
        {
            throw Bad("it is cut off inside the content of an entry");
        }

        _dataLeft -= data.Length;
        return data;
    }

    /// <summary>Reads to the end of the file: what follows the archive's end belongs to the image's id.</summary>
    public void Drain() => _input.Drain();

    private static ImageException Bad(string message) => new(ImageFailure.BadArchive, message);

    private static ImageException Limit(string message) => new(ImageFailure.LimitExceeded, message);

    private bool ReadHeader()
    {
        int length = _input.Fill(_header);
        if (length == 0)
        {
            // Without the two zero blocks at the end: every entry is whole, so nothing is lost.
            _ended = true;
            return false;
        }

        if (length < TarFormat.BlockSize)
        {
            throw Bad("it is cut off inside a header");
        }

        if (IsZero(_header))
        {
            _ended = true;
            length = _input.Fill(_header);
            if (length is not (0 or TarFormat.BlockSize) || (length > 0 && !IsZero(_header)))
            {
                throw Bad("a single zero block stands between its entries");
            }

            return false;
        }

        if (!TarFormat.HasValidChecksum(_header))
        {
            throw Bad(_headers == 0 ? "it is not a tar archive" : $"the checksum of the header at offset {Position - TarFormat.BlockSize} is wrong");
        }

        if (++_headers > _limits.Entries)
        {
            throw Limit($"it has more than {_limits.Entries} entries");
        }

        return true;
    }

    private void SkipData()
    {
        if (!_input.Skip(_dataLeft + _padding))
        {
            throw Bad("it is cut off inside the content of an entry");
        }

        _dataLeft = 0;
        _padding = 0;
    }

    private void BeginData(long size)
    {
        _dataLeft = size;
        _padding = (int)(-size & (TarFormat.BlockSize - 1));
    }

    /// <summary>Reads the body of an extended header; limited before a byte of it is taken.</summary>
    private byte[] ReadExtension(string what)
    {
        long size = Number(TarFormat.Size, "size");
        if (size < 0)
        {
            throw Bad($"{what} has a negative size");
        }

        if (size > _limits.ExtendedHeaderBytes)
        {
            throw Limit($"{what} is larger than {_limits.ExtendedHeaderBytes} bytes");
        }

        byte[] body = new byte[size];
        BeginData(size);
        if (_input.Fill(body) < body.Length)
        {
            throw Bad($"it is cut off inside {what}");
        }

        _dataLeft = 0;
        SkipData();
        return body;
    }

    private byte[] ReadLongName()
    {
        byte[] body = ReadExtension("a long name");
        int end = Array.IndexOf(body, (byte)0);
        return end < 0 ? body : body[..end];
    }

    private long Number(Range field, string what) =>
        TarNumber.TryParse(_header.AsSpan(field), out long value) ? value : throw Bad($"the {what} in a header is not a number in range");

    private static bool IsZero(ReadOnlySpan<byte> block) => block.IndexOfAnyExcept((byte)0) < 0;
}
