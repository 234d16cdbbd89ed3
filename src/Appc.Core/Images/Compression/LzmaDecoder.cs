namespace Appc.Images.Compression;

/// <summary>LZMA's model: which symbols follow, and how probable they are.</summary>
internal sealed class LzmaDecoder
{
    private const int States = 12;
    private const int FirstMatchState = 7;
    private const int PositionStates = 16;
    private const int LiteralSize = 0x300;
    private const int MostLiteralBits = 4;
    private const int DistanceStates = 4;
    private const int FirstModelSlot = 4;
    private const int EndModelSlot = 14;
    private const int AlignBits = 4;
    private const int ShortestMatch = 2;

    private readonly ushort[] _isMatch = new ushort[States * PositionStates];
    private readonly ushort[] _isRepeat = new ushort[States];
    private readonly ushort[] _isRepeat0 = new ushort[States];
    private readonly ushort[] _isRepeat1 = new ushort[States];
    private readonly ushort[] _isRepeat2 = new ushort[States];
    private readonly ushort[] _isLongRepeat0 = new ushort[States * PositionStates];
    private readonly ushort[] _slots = new ushort[DistanceStates * 64];
    private readonly ushort[] _special = new ushort[128];
    private readonly ushort[] _align = new ushort[1 << AlignBits];
    private readonly ushort[] _literals = new ushort[LiteralSize << MostLiteralBits];
    private readonly Lengths _matchLengths = new();
    private readonly Lengths _repeatLengths = new();

    private int _literalContextBits;
    private int _literalPositionMask;
    private int _positionMask;
    private int _state;
    private uint _rep0;
    private uint _rep1;
    private uint _rep2;
    private uint _rep3;
    private int _pending;

    /// <summary>Sets lc, lp and pb from the byte that holds all three; false if there are no such.</summary>
    public bool TrySetProperties(byte properties)
    {
        int positionBits = properties / 45;
        int literalPositionBits = properties % 45 / 9;
        int literalContextBits = properties % 9;
        if (positionBits > 4 || literalContextBits + literalPositionBits > MostLiteralBits)
        {
            return false;
        }

        _literalContextBits = literalContextBits;
        _literalPositionMask = (1 << literalPositionBits) - 1;
        _positionMask = (1 << positionBits) - 1;
        return true;
    }

    /// <summary>Forgets all that was learned.</summary>
    public void Reset()
    {
        foreach (ushort[] probabilities in (ushort[][])[_isMatch, _isRepeat, _isRepeat0, _isRepeat1, _isRepeat2, _isLongRepeat0, _slots, _special, _align, _literals])
        {
            Array.Fill(probabilities, RangeDecoder.Even);
        }

        _matchLengths.Reset();
        _repeatLengths.Reset();
        _state = 0;
        _rep0 = _rep1 = _rep2 = _rep3 = 0;
        _pending = 0;
    }

    /// <summary>Whether a match is not written to its end yet.</summary>
    public bool IsInsideMatch => _pending > 0;

    /// <summary>Decodes until the window has no room.</summary>
    /// <exception cref="ImageException">The data is damaged.</exception>
    public void Decode(ref RangeDecoder input, LzWindow window)
    {
        RangeDecoder range = input;
        if (_pending > 0)
        {
            _pending -= window.Repeat(_rep0, _pending);
        }

        while (window.Position < window.Limit)
        {
            int positionState = window.Position & _positionMask;
            if (range.Bit(ref _isMatch[(_state * PositionStates) + positionState]) == 0)
            {
                DecodeLiteral(ref range, window);
            }
            else
            {
                int length = range.Bit(ref _isRepeat[_state]) == 0 ? DecodeMatch(ref range, positionState) : DecodeRepeat(ref range, positionState);
                if (!window.Holds(_rep0))
                {
                    throw XzFaults.Damaged();
                }

                _pending = length - window.Repeat(_rep0, length);
            }

            if (range.IsPastEnd)
            {
                throw XzFaults.Damaged();
            }
        }

        range.Normalize();
        input = range;
    }

    private void DecodeLiteral(ref RangeDecoder range, LzWindow window)
    {
        // Before the first byte stands a zero.
        uint before = window.Holds(0) ? window.Back(0) : 0u;
        int context = (int)(before >> (8 - _literalContextBits)) + ((window.Position & _literalPositionMask) << _literalContextBits);
        Span<ushort> probabilities = _literals.AsSpan(LiteralSize * context, LiteralSize);
        uint symbol = 1;
        if (_state >= FirstMatchState)
        {
            if (!window.Holds(_rep0))
            {
                throw XzFaults.Damaged();
            }

            // After a match the byte that would have come next is a hint, until the first bit that differs.
            uint match = window.Back(_rep0);
            uint offset = 0x100;
            do
            {
                match <<= 1;
                uint hint = match & offset;
                uint bit = range.Bit(ref probabilities[(int)(offset + hint + symbol)]);
                symbol = (symbol << 1) | bit;
                offset &= bit == 0 ? ~match : match;
            }
            while (symbol < 0x100);
        }
        else
        {
            do
            {
                symbol = (symbol << 1) | range.Bit(ref probabilities[(int)symbol]);
            }
            while (symbol < 0x100);
        }

        window.Put((byte)symbol);
        _state = _state < 4 ? 0 : _state < 10 ? _state - 3 : _state - 6;
    }

    private int DecodeMatch(ref RangeDecoder range, int positionState)
    {
        _state = _state < FirstMatchState ? 7 : 10;
        _rep3 = _rep2;
        _rep2 = _rep1;
        _rep1 = _rep0;
        int length = _matchLengths.Decode(ref range, positionState);
        int distanceState = Math.Min(length - ShortestMatch, DistanceStates - 1);
        int slot = (int)range.Tree(_slots.AsSpan(distanceState * 64, 64));
        if (slot < FirstModelSlot)
        {
            _rep0 = (uint)slot;
            return length;
        }

        int bits = (slot >> 1) - 1;
        uint distance = (2u | ((uint)slot & 1)) << bits;
        _rep0 = slot < EndModelSlot
            ? distance + range.ReverseTree(_special.AsSpan((int)distance - slot), bits)
            : distance + (range.Direct(bits - AlignBits) << AlignBits) + range.ReverseTree(_align, AlignBits);
        return length;
    }

    private int DecodeRepeat(ref RangeDecoder range, int positionState)
    {
        if (range.Bit(ref _isRepeat0[_state]) == 0)
        {
            if (range.Bit(ref _isLongRepeat0[(_state * PositionStates) + positionState]) == 0)
            {
                _state = _state < FirstMatchState ? 9 : 11;
                return 1;
            }
        }
        else
        {
            uint distance = _rep1;
            if (range.Bit(ref _isRepeat1[_state]) != 0)
            {
                distance = _rep2;
                if (range.Bit(ref _isRepeat2[_state]) != 0)
                {
                    distance = _rep3;
                    _rep3 = _rep2;
                }

                _rep2 = _rep1;
            }

            _rep1 = _rep0;
            _rep0 = distance;
        }

        _state = _state < FirstMatchState ? 8 : 11;
        return _repeatLengths.Decode(ref range, positionState);
    }

    /// <summary>The model of lengths: short, middle and long ones.</summary>
    private sealed class Lengths
    {
        private readonly ushort[] _choice = new ushort[2];
        private readonly ushort[] _low = new ushort[PositionStates * 8];
        private readonly ushort[] _middle = new ushort[PositionStates * 8];
        private readonly ushort[] _high = new ushort[256];

        public void Reset()
        {
            Array.Fill(_choice, RangeDecoder.Even);
            Array.Fill(_low, RangeDecoder.Even);
            Array.Fill(_middle, RangeDecoder.Even);
            Array.Fill(_high, RangeDecoder.Even);
        }

        public int Decode(ref RangeDecoder range, int positionState) =>
            range.Bit(ref _choice[0]) == 0 ? ShortestMatch + (int)range.Tree(_low.AsSpan(positionState * 8, 8))
            : range.Bit(ref _choice[1]) == 0 ? ShortestMatch + 8 + (int)range.Tree(_middle.AsSpan(positionState * 8, 8))
            : ShortestMatch + 16 + (int)range.Tree(_high);
    }
}
