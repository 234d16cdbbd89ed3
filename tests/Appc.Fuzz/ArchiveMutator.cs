using System.Text;

namespace Appc.Fuzz;

/// <summary>Makes new archives of old ones: changes bytes and fields of headers, moves whole blocks, and repairs checksums.</summary>
internal sealed class ArchiveMutator(Random random) : IMutator
{
    private const int Block = 512;
    private const int MostBytes = 24_000;

    // Name, mode, owner, group, size, time, type, target, magic, device numbers, prefix, and GNU's sparse map.
    private static readonly (int Start, int Length)[] s_fields =
        [(0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8), (329, 8), (337, 8), (345, 155), (386, 96), (482, 1), (483, 12)];

    private static readonly byte[][] s_words =
    [
        .. new[]
        {
            "rootfs", "rootfs/", "manifest", "../", "./", "/", "//", "a", "rootfs/d", "rootfs/d/f", "rootfs/d/s/x", "ustar\0" + "00", "ustar  \0", "0", "1", "2", "3", "4", "5", "6", "7", "x", "g", "L", "K", "S", "\0",
            "00000000000", "00000000001", "00000001000", "77777777777", "0000644", "0007777", "-1", "18 path=rootfs/p/q\n", "20 size=99999999999\n", "9 size=1\n", "11 mtime=5\n", "14 mtime=-1.5\n", "10 uid=-1\n", "8 path=\n",
            "22 GNU.sparse.major=1\n", "22 GNU.sparse.minor=0\n", "25 GNU.sparse.map=0,1,9,1\n", "GNU.sparse.realsize=", "GNU.sparse.name=rootfs/x", "SCHILY.xattr.user.x=y", "SCHILY.xattr.trusted.overlay.opaque=y", "%3D", "%25", "1\n0\n1\n",
        }.Select(Encoding.Latin1.GetBytes),
        [0xff], [0x80, 0, 0, 0], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xed, 0xa0, 0x80], [0xfd, 0x2f, 0xb5, 0x28], new byte[Block],
    ];

    public byte[] Mutate(List<byte[]> corpus)
    {
        byte[] input = [.. Pick(corpus)];
        for (int count = 1 + random.Next(4); count > 0; count--)
        {
            input = Step(input, corpus);
        }

        input = input.Length <= MostBytes ? input : input[..MostBytes];
        if (random.Next(20) != 0 && !IsCompressed(input))
        {
            TarRepair.Fix(input);
        }

        return input;
    }

    private static bool IsCompressed(byte[] input) =>
        input is [0x1f, 0x8b, ..] or [(byte)'B', (byte)'Z', (byte)'h', ..] or [0xfd, (byte)'7', ..] or [0x28, 0xb5, ..] or [0x50, 0x2a, ..];

    private byte[] Step(byte[] input, List<byte[]> corpus)
    {
        int blocks = input.Length / Block;
        int at = blocks == 0 ? 0 : random.Next(blocks) * Block;
        int start = random.Next(input.Length + 1);
        switch (random.Next(10))
        {
            case 0 or 1 or 2 when blocks > 0:
                // A field of a block that may be a header.
                (int field, int length) = s_fields[random.Next(s_fields.Length)];
                byte[] word = s_words[random.Next(s_words.Length)];
                byte[] changed = [.. input];
                changed.AsSpan(at + field, length).Clear();
                word.AsSpan(0, Math.Min(word.Length, length)).CopyTo(changed.AsSpan(at + field));
                return changed;
            case 3 when blocks > 1:
                int end = Math.Min(input.Length, at + (Block * random.Next(1, 4)));
                return Replace(input, at, end, []);
            case 4 when blocks > 0:
                byte[] other = Pick(corpus);
                int from = random.Next((other.Length / Block) + 1) * Block;
                return Replace(input, at, at, other[from..Math.Min(other.Length, from + (Block * random.Next(1, 5)))]);
            case 5 when input.Length > 0:
                byte[] flipped = [.. input];
                flipped[Math.Min(start, input.Length - 1)] ^= (byte)(1 << random.Next(8));
                return flipped;
            case 6:
                return Replace(input, start, Math.Min(input.Length, start + random.Next(8)), []);
            case 7:
                byte[] over = s_words[random.Next(s_words.Length)];
                return Replace(input, start, Math.Min(input.Length, start + over.Length), over);
            case 8:
                return input[..start];
            default:
                return Replace(input, start, Math.Min(input.Length, start + 1), [(byte)random.Next(256)]);
        }
    }

    private byte[] Pick(List<byte[]> corpus) => corpus.Count == 0 ? [] : corpus[random.Next(corpus.Count)];

    private static byte[] Replace(byte[] input, int start, int end, byte[] by) => [.. input[..start], .. by, .. input[end..]];
}
