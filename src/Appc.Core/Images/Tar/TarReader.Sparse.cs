namespace Appc.Images.Tar;

/// <content>Sparse files: old GNU, and PAX 0.0, 0.1 and 1.0.</content>
internal sealed partial class TarReader
{
    private const int MostSegments = 1 << 20;

    private void ReadSparse(TarEntry entry, byte flag, PaxRecords pax)
    {
        List<TarSegment> segments;
        long length;
        if (flag == TarFormat.GnuSparse)
        {
            length = Number(TarFormat.GnuRealSize, "length of a sparse file");
            segments = ReadGnuMap();
        }
        else if (pax.SparseMajor == 1 && (pax.SparseMinor ?? 0) == 0)
        {
            length = pax.SparseRealSize ?? throw BadSparse("has no length");
            segments = ReadMapFromData(entry);
        }
        else if (pax.SparseMajor > 0)
        {
            throw BadSparse($"is of the unknown format {pax.SparseMajor}.{pax.SparseMinor}");
        }
        else if (pax.SparseMap is not null || pax.SparsePairs.Count > 0)
        {
            length = pax.SparseRealSize ?? throw BadSparse("has no length");
            segments = pax.SparseMap is not null ? ReadMapFromRecord(pax.SparseMap) : ReadMapFromPairs(pax.SparsePairs);
        }
        else
        {
            return;
        }

        Check(segments, length, _dataLeft);
        entry.Segments = segments;
        entry.Length = length;
        entry.StoredSize = _dataLeft;
    }

    private static void Check(List<TarSegment> segments, long length, long stored)
    {
        long end = 0;
        long data = 0;
        foreach (TarSegment segment in segments)
        {
            if (segment.Offset < end || segment.Length < 0 || segment.Offset > length || segment.Length > length - segment.Offset)
            {
                throw Bad("the segments of a sparse file overlap, are out of order or lie beyond its end");
            }

            end = segment.Offset + segment.Length;
            data += segment.Length;
        }

        if (data != stored)
        {
            throw Bad("the segments of a sparse file do not fit the data that the archive has for it");
        }
    }

    private List<TarSegment> ReadGnuMap()
    {
        List<TarSegment> segments = [];
        AddGnuSegments(segments, _header.AsSpan(TarFormat.GnuSparseMap), TarFormat.GnuSparseHeaderSegments);
        bool more = _header[TarFormat.GnuSparseExtended] != 0;
        byte[] block = new byte[TarFormat.BlockSize];
        while (more)
        {
            if (_input.Fill(block) < block.Length)
            {
                throw Bad("it is cut off inside the map of a sparse file");
            }

            AddGnuSegments(segments, block, TarFormat.GnuSparseBlockSegments);
            more = block[TarFormat.GnuSparseBlockExtended] != 0;
        }

        return segments;
    }

    private static void AddGnuSegments(List<TarSegment> segments, ReadOnlySpan<byte> map, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> item = map.Slice(i * 24, 24);
            if (IsZero(item))
            {
                break;
            }

            if (!TarNumber.TryParse(item[..12], out long offset) || !TarNumber.TryParse(item[12..], out long length))
            {
                throw BadSparse("has a map that is no list of numbers");
            }

            Add(segments, offset, length);
        }
    }

    // Format 1.0 puts the map before the data, as lines of decimal numbers padded to a block.
    private List<TarSegment> ReadMapFromData(TarEntry entry)
    {
        long before = _dataLeft;
        long count = ReadMapLine();
        if (count > MostSegments)
        {
            throw Limit($"the sparse file '{entry.ShownName}' has more than {MostSegments} segments");
        }

        List<TarSegment> segments = [];
        for (long i = 0; i < count; i++)
        {
            long offset = ReadMapLine();
            Add(segments, offset, ReadMapLine());
        }

        long rest = -(before - _dataLeft) & (TarFormat.BlockSize - 1);
        while (rest > 0)
        {
            int length = ReadData(rest).Length;
            if (length == 0)
            {
                throw BadSparse("has a map that is cut off");
            }

            rest -= length;
        }

        return segments;
    }

    private long ReadMapLine()
    {
        long value = 0;
        for (int digits = 0; ; digits++)
        {
            ReadOnlySpan<byte> next = ReadData(1);
            if (next.IsEmpty || digits > 18)
            {
                throw BadSparse("has a map that is no list of numbers");
            }

            if (next[0] == (byte)'\n' && digits > 0)
            {
                return value;
            }

            if (next[0] is < (byte)'0' or > (byte)'9')
            {
                throw BadSparse("has a map that is no list of numbers");
            }

            value = (value * 10) + (next[0] - '0');
        }
    }

    private static List<TarSegment> ReadMapFromRecord(ReadOnlySpan<byte> map)
    {
        List<TarSegment> segments = [];
        long? offset = null;
        foreach (Range part in map.Split((byte)','))
        {
            if (!TarNumber.TryParseDecimal(map[part], out long number))
            {
                throw BadSparse("has a map that is no list of numbers");
            }

            if (offset is null)
            {
                offset = number;
            }
            else
            {
                Add(segments, offset.Value, number);
                offset = null;
            }
        }

        return offset is null ? segments : throw BadSparse("has a map of an odd number of numbers");
    }

    private static List<TarSegment> ReadMapFromPairs(IReadOnlyList<(string Key, long Value)> pairs)
    {
        List<TarSegment> segments = [];
        for (int i = 0; i < pairs.Count; i += 2)
        {
            if (i + 1 == pairs.Count || pairs[i].Key != "offset" || pairs[i + 1].Key != "numbytes")
            {
                throw BadSparse("has a map that is no list of offsets and lengths");
            }

            Add(segments, pairs[i].Value, pairs[i + 1].Value);
        }

        return segments;
    }

    private static void Add(List<TarSegment> segments, long offset, long length)
    {
        if (segments.Count == MostSegments)
        {
            throw Limit($"a sparse file has more than {MostSegments} segments");
        }

        if (offset < 0 || length < 0)
        {
            throw BadSparse("has a map with a negative number");
        }

        segments.Add(new TarSegment(offset, length));
    }

    private static ImageException BadSparse(string what) => Bad($"a sparse file {what}");
}
