using System.Buffers.Binary;

namespace Appc.Images.Compression;

/// <summary>The header of a gzip member (RFC 1952).</summary>
internal static class GzipHeader
{
    private const int LongestField = 64 << 10;
    private const int HasHeaderChecksum = 0x02;
    private const int HasExtra = 0x04;
    private const int HasName = 0x08;
    private const int HasComment = 0x10;
    private const int Reserved = 0xe0;

    /// <summary>Reads and checks a header; leaves the input at the compressed data.</summary>
    public static void Read(ArchiveInput input)
    {
        uint crc = 0;
        Span<byte> fixedPart = stackalloc byte[10];
        Take(input, fixedPart, ref crc);
        int flags = fixedPart[3];
        if (fixedPart[0] != 0x1f || fixedPart[1] != 0x8b || fixedPart[2] != 8 || (flags & Reserved) != 0)
        {
            throw new ImageException(ImageFailure.BadArchive, "its gzip header is not valid");
        }

        Span<byte> two = stackalloc byte[2];
        if ((flags & HasExtra) != 0)
        {
            Take(input, two, ref crc);
            byte[] extra = new byte[BinaryPrimitives.ReadUInt16LittleEndian(two)];
            Take(input, extra, ref crc);
        }

        if ((flags & HasName) != 0)
        {
            TakeText(input, ref crc);
        }

        if ((flags & HasComment) != 0)
        {
            TakeText(input, ref crc);
        }

        if ((flags & HasHeaderChecksum) != 0)
        {
            uint expected = crc & 0xffff;
            Take(input, two, ref crc);
            if (BinaryPrimitives.ReadUInt16LittleEndian(two) != expected)
            {
                throw new ImageException(ImageFailure.BadArchive, "the checksum of its gzip header is wrong");
            }
        }
    }

    private static void Take(ArchiveInput input, Span<byte> buffer, ref uint crc)
    {
        if (input.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
        {
            throw Cut();
        }

        crc = Crc32.Append(crc, buffer);
    }

    private static void TakeText(ArchiveInput input, ref uint crc)
    {
        Span<byte> one = stackalloc byte[1];
        for (int i = 0; i < LongestField; i++)
        {
            Take(input, one, ref crc);
            if (one[0] == 0)
            {
                return;
            }
        }

        throw new ImageException(ImageFailure.BadArchive, "a field of its gzip header is longer than 64 KiB");
    }

    private static ImageException Cut() => new(ImageFailure.BadArchive, "its gzip header is cut off", "the file is not complete: fetch it again");
}
