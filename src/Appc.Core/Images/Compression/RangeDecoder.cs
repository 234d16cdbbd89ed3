using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Appc.Images.Compression;

/// <summary>LZMA's arithmetic decoder over one chunk, which lies in memory whole.</summary>
/// <param name="input">The chunk, and <see cref="Slack"/> bytes of room after it.</param>
/// <param name="end">Where the chunk ends.</param>
internal struct RangeDecoder(byte[] input, int end)
{
    /// <summary>Room behind the chunk: what one symbol can take at most before <see cref="IsPastEnd"/> is looked at.</summary>
    public const int Slack = 64;

    /// <summary>An even chance: what every probability begins with.</summary>
    public const ushort Even = 1 << 10;

    private const uint TopValue = 1 << 24;
    private const int ProbabilityBits = 11;
    private const int MoveBits = 5;
    private const int HeaderBytes = 5;

    private uint _range = 0xffff_ffff;
    private uint _code;
    private int _next;

    /// <summary>Whether more was taken than the chunk has.</summary>
    public readonly bool IsPastEnd => _next > end;

    /// <summary>Whether the chunk was used to its last byte, and nothing is left in the state.</summary>
    public readonly bool IsFinished => _next == end && _code == 0;

    /// <summary>Takes the five bytes that each chunk begins with.</summary>
    public bool TryBegin()
    {
        if (end < HeaderBytes || input[0] != 0)
        {
            return false;
        }

        _code = BinaryPrimitives.ReadUInt32BigEndian(input.AsSpan(1));
        _next = HeaderBytes;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Bit(ref ushort probability)
    {
        Normalize();
        uint p = probability;
        uint bound = (_range >> ProbabilityBits) * p;
        if (_code < bound)
        {
            _range = bound;
            probability = (ushort)(p + (((1 << ProbabilityBits) - p) >> MoveBits));
            return 0;
        }

        _range -= bound;
        _code -= bound;
        probability = (ushort)(p - (p >> MoveBits));
        return 1;
    }

    /// <summary>Bits from the highest to the lowest; <paramref name="probabilities"/> has one place for each prefix.</summary>
    public uint Tree(Span<ushort> probabilities)
    {
        uint symbol = 1;
        while (symbol < (uint)probabilities.Length)
        {
            symbol = (symbol << 1) | Bit(ref probabilities[(int)symbol]);
        }

        return symbol - (uint)probabilities.Length;
    }

    /// <summary>Bits from the lowest to the highest.</summary>
    public uint ReverseTree(Span<ushort> probabilities, int bits)
    {
        uint symbol = 1;
        uint value = 0;
        for (int i = 0; i < bits; i++)
        {
            uint bit = Bit(ref probabilities[(int)symbol]);
            symbol = (symbol << 1) | bit;
            value |= bit << i;
        }

        return value;
    }

    /// <summary>Bits without probabilities.</summary>
    public uint Direct(int bits)
    {
        uint value = 0;
        for (int i = 0; i < bits; i++)
        {
            Normalize();
            _range >>= 1;
            _code -= _range;
            uint mask = 0u - (_code >> 31);
            _code += _range & mask;
            value = (value << 1) + mask + 1;
        }

        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Normalize()
    {
        if (_range < TopValue)
        {
            _range <<= 8;
            _code = (_code << 8) | input[_next++];
        }
    }
}
