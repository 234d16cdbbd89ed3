namespace Appc.Images.Compression;

/// <summary>LZMA2: chunks of LZMA, or of bytes as they are.</summary>
internal sealed class Lzma2Decoder(XzInput input)
{
    private const int LargestChunk = 64 << 10;

    private readonly LzWindow _window = new();
    private readonly LzmaDecoder _lzma = new();
    private readonly byte[] _chunk = new byte[LargestChunk + RangeDecoder.Slack];
    private RangeDecoder _range;
    private int _left;
    private bool _plain;
    private bool _needsDictionary;
    private bool _needsProperties;

    /// <summary>Begins a block. The memory of the one before is used again.</summary>
    public void Begin(int dictionaryBytes)
    {
        _window.Begin(dictionaryBytes);
        _needsDictionary = true;
        _needsProperties = true;
    }

    /// <summary>The next bytes; 0 at the end.</summary>
    public int Read(Span<byte> buffer)
    {
        while (!_window.HasOutput)
        {
            if (_left == 0 && !BeginChunk())
            {
                return 0;
            }

            _window.Reserve(Math.Min(_left, buffer.Length));
            int before = _window.Position;
            if (_plain)
            {
                Span<byte> bytes = _chunk.AsSpan(0, Math.Min(LargestChunk, _window.Limit - before));
                input.Take(bytes);
                _window.Put(bytes);
            }
            else
            {
                _lzma.Decode(ref _range, _window);
            }

            _left -= _window.Position - before;
            if (_left == 0 && !_plain && (_lzma.IsInsideMatch || !_range.IsFinished))
            {
                throw XzFaults.Damaged();
            }
        }

        return _window.Take(buffer);
    }

    private bool BeginChunk()
    {
        int control = input.TakeByte();
        if (control == 0)
        {
            return false;
        }

        bool newDictionary = control is 0x01 or >= 0xe0;
        if ((_needsDictionary && !newDictionary) || control is > 0x02 and < 0x80)
        {
            throw XzFaults.Damaged();
        }

        if (newDictionary)
        {
            _needsDictionary = false;
            _needsProperties = true;
            _window.Reset();
        }

        _plain = control < 0x80;
        if (_plain)
        {
            _left = input.TakeUInt16BigEndian() + 1;
            return true;
        }

        _left = ((control & 0x1f) << 16) + input.TakeUInt16BigEndian() + 1;
        int length = input.TakeUInt16BigEndian() + 1;
        if (control >= 0xc0)
        {
            _needsProperties = false;
            if (!_lzma.TrySetProperties(input.TakeByte()))
            {
                throw XzFaults.Damaged();
            }
        }

        if (_needsProperties)
        {
            throw XzFaults.Damaged();
        }

        if (control >= 0xa0)
        {
            _lzma.Reset();
        }

        input.Take(_chunk.AsSpan(0, length));
        _range = new RangeDecoder(_chunk, length);
        return _range.TryBegin() ? true : throw XzFaults.Damaged();
    }
}
