using System.Text;

namespace Appc.Fuzz;

/// <summary>Makes new inputs of old ones.</summary>
internal sealed class Mutator(Random random) : IMutator
{
    private const int MostBytes = 4000;

    private static readonly byte[][] s_words =
    [
        .. new[]
        {
            "null", "true", "false", "{}", "[]", "\"\"", "0", "-1", "1e5", "0.5", "9223372036854775808", "\\u0000", "\\ud800", "\\\"", ",", ":", "=", "-", "+", ".", "/", "//", "/../", "~", "_", "@",
            "\"name\":", "\"value\":", "\"kind\":\"empty\",", "\"kind\":\"host\",", "\"name\":\"name\"", "\"os\"", "\"arch\"", "\"version\"", "\"linux\"", "\"post-stop\"", "\"supplementaryGids\":[2],",
            "\"default\":true,", "\"request\":\"1m\",", "\"errno\":\"EPERM\",", "resource/cpu", "resource/network-bandwidth", "os/linux/seccomp-remove-set", "os/linux/capabilities-retain-set", "os/unix/sysctl",
            "Ki", "Ei", "e", "E", "n", "u", "m", "k", "T", "Z", "z", ":60", "\n", "\t", " ", "%", "%41", "[::1]", "é", "😀", "65535", "65536", "256", "0755", "\uFEFF",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC3], [0xED, 0xA0, 0x80],
    ];

    public byte[] Mutate(List<byte[]> corpus)
    {
        byte[] input = Pick(corpus);
        for (int count = 1 + random.Next(4); count > 0; count--)
        {
            input = Step(input, corpus);
        }

        return input.Length <= MostBytes ? input : input[..MostBytes];
    }

    private byte[] Step(byte[] input, List<byte[]> corpus)
    {
        int start = random.Next(input.Length + 1);
        int end = Math.Min(input.Length, start + random.Next(random.Next(2) == 0 ? 4 : 40));
        switch (random.Next(7))
        {
            case 0:
                return Replace(input, start, end, []);
            case 1:
                return Replace(input, start, start, s_words[random.Next(s_words.Length)]);
            case 2:
                return Replace(input, start, end, s_words[random.Next(s_words.Length)]);
            case 3:
                return Replace(input, start, end, input[start..end]);
            case 4:
                byte[] other = Pick(corpus);
                int from = random.Next(other.Length + 1);
                return Replace(input, start, end, other[from..Math.Min(other.Length, from + random.Next(60))]);
            case 5 when start < input.Length:
                byte[] flipped = [.. input];
                flipped[start] ^= (byte)(1 << random.Next(8));
                return flipped;
            default:
                return Replace(input, start, Math.Min(input.Length, start + 1), [(byte)random.Next(256)]);
        }
    }

    private byte[] Pick(List<byte[]> corpus) => corpus.Count == 0 ? [] : corpus[random.Next(corpus.Count)];

    private static byte[] Replace(byte[] input, int start, int end, byte[] by) => [.. input[..start], .. by, .. input[end..]];
}
