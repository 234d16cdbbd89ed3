using System.IO.Compression;

namespace Appc.Core.Tests.Images;

/// <summary>Archives are mostly zeros: a line of the corpus has one deflated, in base64.</summary>
internal static class ArchiveFuzzCorpus
{
    public static string Encode(byte[] input)
    {
        using MemoryStream packed = new();
        using (DeflateStream deflate = new(packed, CompressionLevel.SmallestSize))
        {
            deflate.Write(input);
        }

        return Convert.ToBase64String(packed.ToArray());
    }

    public static byte[] Decode(string line)
    {
        using MemoryStream content = new();
        using DeflateStream inflate = new(new MemoryStream(Convert.FromBase64String(line)), CompressionMode.Decompress);
        inflate.CopyTo(content);
        return content.ToArray();
    }
}
