using System.Buffers.Binary;

namespace Appc.Images.Compression;

/// <summary>Takes exact amounts of an xz file and counts them; the end is an error.</summary>
internal sealed class XzInput(ArchiveInput input)
{
    private const int LongestNumber = 9;

    /// <summary>Bytes taken since it was set to 0.</summary>
    public long Count { get; set; }

    /// <summary>CRC-32 of the bytes taken since it was set to 0.</summary>
    public uint Crc { get; set; }

    public void Take(Span<byte> buffer)
    {
        if (input.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
        {
            throw XzFaults.Damaged();
        }

        Count += buffer.Length;
    }

    public byte TakeByte()
    {
        int value = input.ReadByte();
        Count++;
        return value < 0 ? throw XzFaults.Damaged() : (byte)value;
    }

    public int TakeUInt16BigEndian() => (TakeByte() << 8) | TakeByte();

    /// <summary>A byte that counts for the checksum.</summary>
    public byte TakeSummed()
    {
        byte value = TakeByte();
        Crc = Crc32.Append(Crc, [value]);
        return value;
    }

    /// <summary>A number of xz: seven bits a byte, in the shortest form, each byte counting for the checksum.</summary>
    public ulong TakeNumber()
    {
        ulong value = 0;
        for (int i = 0; i < LongestNumber; i++)
        {
            byte b = TakeSummed();
            value |= (ulong)(b & 0x7f) << (7 * i);
            if (b < 0x80)
            {
                return b == 0 && i > 0 ? throw XzFaults.Damaged() : value;
            }
        }

        throw XzFaults.Damaged();
    }

    /// <summary>Zeros up to a multiple of four of <see cref="Count"/>; they count for the checksum.</summary>
    public void TakePadding()
    {
        while ((Count & 3) != 0)
        {
            if (TakeSummed() != 0)
            {
                throw XzFaults.Damaged();
            }
        }
    }

    /// <summary>A checksum that must be <see cref="Crc"/>.</summary>
    public void TakeCrc()
    {
        Span<byte> bytes = stackalloc byte[4];
        Take(bytes);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Crc)
        {
            throw XzFaults.Damaged();
        }
    }

    /// <summary>Passes over zeros between streams, which come in fours; false at the end of the file.</summary>
    public bool SkipStreamPadding()
    {
        Span<byte> four = stackalloc byte[4];
        int length;
        while ((length = input.Peek(four)) == 4 && BitConverter.ToUInt32(four) == 0)
        {
            Take(four);
        }

        return length > 0;
    }
}
