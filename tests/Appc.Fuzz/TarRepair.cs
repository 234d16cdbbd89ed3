using System.Text;

namespace Appc.Fuzz;

/// <summary>Makes the checksums of a tar archive's headers fit again, so that changes reach what lies behind them.</summary>
internal static class TarRepair
{
    private const int Block = 512;

    public static void Fix(byte[] archive)
    {
        for (int at = 0; at + Block <= archive.Length;)
        {
            Span<byte> header = archive.AsSpan(at, Block);
            at += Block;
            if (header.IndexOfAnyExcept((byte)0) < 0)
            {
                continue;
            }

            header[148..156].Fill((byte)' ');
            int sum = 0;
            foreach (byte b in header)
            {
                sum += b;
            }

            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0')).CopyTo(header[148..]);
            header[154] = 0;
            at += (Size(header[124..136]) + Block - 1) / Block * Block;
        }
    }

    // What the reader takes for the size; anything odd stands for nothing.
    private static int Size(ReadOnlySpan<byte> field)
    {
        int size = 0;
        foreach (byte b in field)
        {
            if (b is >= (byte)'0' and <= (byte)'7' && size < 1 << 20)
            {
                size = (size * 8) + (b - '0');
            }
        }

        return size < 1 << 20 ? size : 0;
    }
}
