namespace Appc.Images.Compression;

/// <summary>
/// What was decoded last, for matches to repeat. The memory grows with what really comes out, up to the size that the
/// header announced: a short file that announces a large one costs nothing.
/// </summary>
internal sealed class LzWindow
{
    // Large enough to give whole blocks out, and a multiple of 16: alignment of positions goes on when it wraps.
    private const int SmallestBytes = 64 << 10;

    private byte[] _bytes = new byte[SmallestBytes];
    private int _dictionary;
    private int _taken;
    private bool _wrapped;

    /// <summary>Where the next byte goes.</summary>
    public int Position { get; private set; }

    /// <summary>End of the room that <see cref="Reserve"/> gave.</summary>
    public int Limit { get; private set; }

    /// <summary>Whether bytes wait to be taken.</summary>
    public bool HasOutput => _taken < Position;

    /// <summary>The memory itself, for the decoder's inner loop.</summary>
    public byte[] Bytes => _bytes;

    /// <summary>Sets how far back matches may reach, and forgets everything.</summary>
    public void Begin(int dictionaryBytes)
    {
        _dictionary = dictionaryBytes;
        Reset();
    }

    /// <summary>Forgets everything. All output was taken before.</summary>
    public void Reset()
    {
        Position = 0;
        _taken = 0;
        Limit = 0;
        _wrapped = false;
    }

    /// <summary>Makes room for at most so many bytes. All output was taken before.</summary>
    public void Reserve(int most)
    {
        if (Position == _bytes.Length)
        {
            if (_bytes.Length < _dictionary)
            {
                Array.Resize(ref _bytes, (int)Math.Min(_dictionary, 2L * _bytes.Length));
            }
            else
            {
                Position = 0;
                _taken = 0;
                _wrapped = true;
            }
        }

        Limit = Position + Math.Min(most, _bytes.Length - Position);
    }

    /// <summary>Whether a match may reach so far back: 0 is the byte before.</summary>
    public bool Holds(uint distance) => distance < (uint)(_wrapped ? _dictionary : Math.Min(_dictionary, Position));

    /// <summary>The byte so far back; 0 where there is none yet.</summary>
    public byte Back(uint distance)
    {
        int at = Position - 1 - (int)distance;
        return _bytes[at < 0 ? at + _bytes.Length : at];
    }

    public void Put(byte value) => _bytes[Position++] = value;

    /// <summary>Adds bytes as they are.</summary>
    public void Put(ReadOnlySpan<byte> data)
    {
        data.CopyTo(_bytes.AsSpan(Position));
        Position += data.Length;
    }

    /// <summary>Repeats what lies <paramref name="distance"/> + 1 back, as far as there is room; returns how much.</summary>
    public int Repeat(uint distance, int length)
    {
        length = Math.Min(length, Limit - Position);
        int from = Position - 1 - (int)distance;
        if (from >= 0 && distance + 1 >= (uint)length)
        {
            _bytes.AsSpan(from, length).CopyTo(_bytes.AsSpan(Position));
            Position += length;
            return length;
        }

        if (from < 0)
        {
            from += _bytes.Length;
        }

        // Source and target may overlap, which repeats a pattern: byte by byte.
        byte[] bytes = _bytes;
        int to = Position;
        for (int i = 0; i < length; i++)
        {
            bytes[to++] = bytes[from++];
            if (from == bytes.Length)
            {
                from = 0;
            }
        }

        Position = to;
        return length;
    }

    /// <summary>Hands out what waits.</summary>
    public int Take(Span<byte> buffer)
    {
        int length = Math.Min(buffer.Length, Position - _taken);
        _bytes.AsSpan(_taken, length).CopyTo(buffer);
        _taken += length;
        return length;
    }
}
