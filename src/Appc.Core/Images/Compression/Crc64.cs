using System.Buffers.Binary;

namespace Appc.Images.Compression;

/// <summary>The usual checksum of xz (CRC-64, reflected polynomial 0xC96C5795D7870F42), by tables of eight bytes.</summary>
internal static class Crc64
{
    private static readonly ulong[] Tables = MakeTables();

    /// <summary>Continues a checksum; starts from 0.</summary>
    public static ulong Append(ulong crc, ReadOnlySpan<byte> data)
    {
        ulong[] t = Tables;
        ulong state = ~crc;
        while (data.Length >= 8)
        {
            ulong next = state ^ BinaryPrimitives.ReadUInt64LittleEndian(data);
            state = t[(7 * 256) + (int)(next & 0xff)] ^ t[(6 * 256) + (int)((next >> 8) & 0xff)]
                ^ t[(5 * 256) + (int)((next >> 16) & 0xff)] ^ t[(4 * 256) + (int)((next >> 24) & 0xff)]
                ^ t[(3 * 256) + (int)((next >> 32) & 0xff)] ^ t[(2 * 256) + (int)((next >> 40) & 0xff)]
                ^ t[256 + (int)((next >> 48) & 0xff)] ^ t[(int)(next >> 56)];
            data = data[8..];
        }

        foreach (byte b in data)
        {
            state = t[(int)((state ^ b) & 0xff)] ^ (state >> 8);
        }

        return ~state;
    }

    private static ulong[] MakeTables()
    {
        ulong[] tables = new ulong[8 * 256];
        for (ulong i = 0; i < 256; i++)
        {
            ulong c = i;
            for (int bit = 0; bit < 8; bit++)
            {
                c = (c & 1) != 0 ? 0xC96C5795D7870F42 ^ (c >> 1) : c >> 1;
            }

            tables[i] = c;
        }

        for (int i = 256; i < tables.Length; i++)
        {
            ulong before = tables[i - 256];
            tables[i] = tables[before & 0xff] ^ (before >> 8);
        }

        return tables;
    }
}
