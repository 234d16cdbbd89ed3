using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Appc.Images.Compression;

/// <summary>
/// The checksum of gzip (CRC-32, reflected polynomial 0xEDB88320). Folds with carry-less multiplication where the
/// processor has it, as in Intel's "Fast CRC Computation Using PCLMULQDQ"; by tables of eight bytes elsewhere.
/// </summary>
internal static class Crc32
{
    private static readonly uint[] Tables = MakeTables();

    /// <summary>Continues a checksum; starts from 0.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        uint state = ~crc;
        if (Pclmulqdq.IsSupported && Sse41.IsSupported && data.Length >= 64)
        {
            int folded = data.Length & ~15;
            state = Fold(state, data[..folded]);
            data = data[folded..];
        }

        return ~ByTables(state, data);
    }

    private static uint ByTables(uint state, ReadOnlySpan<byte> data)
    {
        uint[] t = Tables;
        while (data.Length >= 8)
        {
            uint low = state ^ BinaryPrimitives.ReadUInt32LittleEndian(data);
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
            state = t[(7 * 256) + (int)(low & 0xff)] ^ t[(6 * 256) + (int)((low >> 8) & 0xff)]
                ^ t[(5 * 256) + (int)((low >> 16) & 0xff)] ^ t[(4 * 256) + (int)(low >> 24)]
                ^ t[(3 * 256) + (int)(high & 0xff)] ^ t[(2 * 256) + (int)((high >> 8) & 0xff)]
                ^ t[256 + (int)((high >> 16) & 0xff)] ^ t[(int)(high >> 24)];
            data = data[8..];
        }

        foreach (byte b in data)
        {
            state = t[(int)((state ^ b) & 0xff)] ^ (state >> 8);
        }

        return state;
    }

    /// <summary>Takes 64 bytes or more, a multiple of 16.</summary>
    private static uint Fold(uint state, ReadOnlySpan<byte> data)
    {
        ref byte p = ref MemoryMarshal.GetReference(data);
        int length = data.Length;
        Vector128<ulong> x0 = Load(ref p, 0) ^ Vector128.CreateScalar(state).AsUInt64();
        Vector128<ulong> x1 = Load(ref p, 16);
        Vector128<ulong> x2 = Load(ref p, 32);
        Vector128<ulong> x3 = Load(ref p, 48);
        int at = 64;

        // x^(4*128+32), x^(4*128-32) mod P: four lanes at a time.
        Vector128<ulong> by512 = Vector128.Create(0x0154442bd4UL, 0x01c6e41596UL);
        for (; length - at >= 64; at += 64)
        {
            x0 = Step(x0, by512) ^ Load(ref p, at);
            x1 = Step(x1, by512) ^ Load(ref p, at + 16);
            x2 = Step(x2, by512) ^ Load(ref p, at + 32);
            x3 = Step(x3, by512) ^ Load(ref p, at + 48);
        }

        Vector128<ulong> by128 = Vector128.Create(0x01751997d0UL, 0x00ccaa009eUL);
        x0 = Step(x0, by128) ^ x1;
        x0 = Step(x0, by128) ^ x2;
        x0 = Step(x0, by128) ^ x3;
        for (; at < length; at += 16)
        {
            x0 = Step(x0, by128) ^ Load(ref p, at);
        }

        // 128 bits to 64, to 32 by Barrett's reduction.
        Vector128<ulong> low32 = Vector128.Create(0xffffffffUL, 0UL);
        x0 = Pclmulqdq.CarrylessMultiply(x0, by128, 0x10) ^ Sse2.ShiftRightLogical128BitLane(x0, 8);
        x0 = Pclmulqdq.CarrylessMultiply(x0 & low32, Vector128.Create(0x0163cd6124UL, 0UL), 0x00)
            ^ Sse2.ShiftRightLogical128BitLane(x0, 4);
        Vector128<ulong> barrett = Vector128.Create(0x01db710641UL, 0x01f7011641UL);
        Vector128<ulong> y = Pclmulqdq.CarrylessMultiply(x0 & low32, barrett, 0x10) & low32;
        y = Pclmulqdq.CarrylessMultiply(y, barrett, 0x00) ^ x0;
        return y.AsUInt32().GetElement(1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Step(Vector128<ulong> x, Vector128<ulong> k) =>
        Pclmulqdq.CarrylessMultiply(x, k, 0x00) ^ Pclmulqdq.CarrylessMultiply(x, k, 0x11);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ref byte p, int offset) =>
        Unsafe.ReadUnaligned<Vector128<ulong>>(ref Unsafe.Add(ref p, offset));

    private static uint[] MakeTables()
    {
        uint[] tables = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint c = i;
            for (int bit = 0; bit < 8; bit++)
            {
                c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            }

            tables[i] = c;
        }

        for (int i = 256; i < tables.Length; i++)
        {
            uint before = tables[i - 256];
            tables[i] = tables[before & 0xff] ^ (before >> 8);
        }

        return tables;
    }
}
