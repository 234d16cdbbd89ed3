using System.Buffers.Binary;

namespace Appc.Signing.Packets;

/// <summary>Reads hostile bytes in order; every read is checked against the end.</summary>
internal ref struct ByteReader(ReadOnlyMemory<byte> data)
{
    private readonly ReadOnlyMemory<byte> _data = data;

    public int Position { get; private set; }

    public readonly int Remaining => _data.Length - Position;

    public readonly bool AtEnd => Remaining == 0;

    public byte ReadByte() => Take(1).Span[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2).Span);

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4).Span);

    public ReadOnlyMemory<byte> Take(uint count)
    {
        if (count > (uint)Remaining)
        {
            throw new MalformedPacketException("it ends early");
        }

        ReadOnlyMemory<byte> taken = _data.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    public ReadOnlyMemory<byte> TakeRest() => Take((uint)Remaining);

    /// <summary>
    /// Reads a multiprecision integer (RFC 9580, 3.2) as its bytes. The bit count only says how many bytes
    /// follow: leading zero bits are harmless, since the value is used as a number.
    /// </summary>
    public ReadOnlyMemory<byte> ReadMpi()
    {
        uint bits = ReadUInt16();
        return Take((bits + 7) / 8);
    }
}
