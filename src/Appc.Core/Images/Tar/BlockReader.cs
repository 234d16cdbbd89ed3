namespace Appc.Images.Tar;

/// <summary>Reads exact amounts from a <see cref="IByteSource"/> and counts them.</summary>
internal sealed class BlockReader(IByteSource source)
{
    private ReadOnlyMemory<byte> _current;

    /// <summary>Bytes read so far.</summary>
    public long Position { get; private set; }

    /// <summary>The next bytes, at most <paramref name="most"/>, without copying; empty at the end.</summary>
    public ReadOnlySpan<byte> Read(long most)
    {
        if (_current.IsEmpty)
        {
            _current = source.Next();
        }

        int length = (int)Math.Min(most, _current.Length);
        ReadOnlySpan<byte> result = _current.Span[..length];
        _current = _current[length..];
        Position += length;
        return result;
    }

    /// <summary>Fills a buffer; returns the number of bytes, fewer only at the end.</summary>
    public int Fill(Span<byte> buffer)
    {
        int filled = 0;
        while (filled < buffer.Length)
        {
            ReadOnlySpan<byte> part = Read(buffer.Length - filled);
            if (part.IsEmpty)
            {
                break;
            }

            part.CopyTo(buffer[filled..]);
            filled += part.Length;
        }

        return filled;
    }

    /// <summary>Passes over bytes; false if the end comes first.</summary>
    public bool Skip(long count)
    {
        while (count > 0)
        {
            int length = Read(count).Length;
            if (length == 0)
            {
                return false;
            }

            count -= length;
        }

        return true;
    }

    /// <summary>Passes over all that is left.</summary>
    public void Drain()
    {
        while (!Read(long.MaxValue).IsEmpty)
        {
        }
    }
}
