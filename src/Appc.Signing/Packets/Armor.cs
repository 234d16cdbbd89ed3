using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Appc.Signing.Packets;

/// <summary>The text form of OpenPGP data (RFC 9580, 6).</summary>
internal static class Armor
{
    public const string Signature = "PGP SIGNATURE";
    public const string PublicKey = "PGP PUBLIC KEY BLOCK";
    public const string PrivateKey = "PGP PRIVATE KEY BLOCK";

    /// <summary>What a signed text, as opposed to a detached signature, begins with.</summary>
    public const string SignedMessage = "PGP SIGNED MESSAGE";

    private static ReadOnlySpan<byte> Begin => "-----BEGIN "u8;

    private static ReadOnlySpan<byte> End => "-----END "u8;

    private static ReadOnlySpan<byte> ByteOrderMark => "\uFEFF"u8;

    private static ReadOnlySpan<byte> Dashes => "-----"u8;

    /// <summary>
    /// The packets of a file: as they are, or out of its armor. Several armored blocks of one kind are joined,
    /// so that files may be put together with <c>cat</c>. Text around the blocks is ignored, as gpg does.
    /// </summary>
    public static ReadOnlyMemory<byte> Open(ReadOnlyMemory<byte> file, params string[] kinds)
    {
        if (file.IsEmpty)
        {
            throw new MalformedPacketException("it is empty");
        }

        if (file.Span.StartsWith(ByteOrderMark))
        {
            return Decode(file.Span[ByteOrderMark.Length..], kinds);
        }

        // Every binary packet has the high bit set, and no text that could begin an armor has.
        return (file.Span[0] & 0x80) != 0 ? file : Decode(file.Span, kinds);
    }

    /// <summary>Writes an armored block with a checksum, which gpg and old tools expect.</summary>
    public static string Encode(string kind, ReadOnlySpan<byte> data)
    {
        string body = Convert.ToBase64String(data);
        var text = new StringBuilder(body.Length + (body.Length / 64) + 128);
        text.Append("-----BEGIN ").Append(kind).Append("-----\n\n");
        for (int i = 0; i < body.Length; i += 64)
        {
            text.Append(body, i, Math.Min(64, body.Length - i)).Append('\n');
        }

        uint crc = Crc24(data);
        text.Append('=').Append(Convert.ToBase64String([(byte)(crc >> 16), (byte)(crc >> 8), (byte)crc])).Append('\n');
        return text.Append("-----END ").Append(kind).Append("-----\n").ToString();
    }

    private static ReadOnlyMemory<byte> Decode(ReadOnlySpan<byte> text, string[] kinds)
    {
        var output = new ArrayBufferWriter<byte>(text.Length);
        bool found = false;
        while (!text.IsEmpty)
        {
            ReadOnlySpan<byte> line = ReadLine(ref text);
            if (!line.StartsWith(Begin) || !line.EndsWith(Dashes) || line.Length < Begin.Length + Dashes.Length)
            {
                continue;
            }

            string kind = Encoding.ASCII.GetString(line[Begin.Length..^Dashes.Length]);
            if (!kinds.Contains(kind))
            {
                throw new MalformedPacketException(kind switch
                {
                    SignedMessage => "it is a signed text, not a detached signature",
                    "PGP MESSAGE" => "it is a message, not a detached signature",
                    PublicKey => "it is a public key, not a signature",
                    PrivateKey => "it is a secret key",
                    Signature => "it is a signature, not a key",
                    _ => "its armor is of another kind",
                });
            }

            DecodeBlock(ref text, kind, output);
            found = true;
        }

        return found ? output.WrittenMemory : throw new MalformedPacketException("it is neither armored nor binary OpenPGP data");
    }

    private static void DecodeBlock(ref ReadOnlySpan<byte> text, string kind, ArrayBufferWriter<byte> output)
    {
        // Armor headers, then one empty line.
        while (true)
        {
            if (text.IsEmpty)
            {
                throw new MalformedPacketException("its armor ends early");
            }

            ReadOnlySpan<byte> header = ReadLine(ref text);
            if (header.IsEmpty)
            {
                break;
            }

            if (header.IndexOf(": "u8) < 0 && header[^1] != ':')
            {
                throw new MalformedPacketException("its armor has a malformed header");
            }
        }

        byte[] base64 = ArrayPool<byte>.Shared.Rent(text.Length + 4);
        try
        {
            int length = 0;
            byte[] checksum = [];
            while (true)
            {
                if (text.IsEmpty)
                {
                    throw new MalformedPacketException("its armor ends early");
                }

                ReadOnlySpan<byte> line = ReadLine(ref text);
                if (line.StartsWith(End))
                {
                    if (!line[End.Length..].SequenceEqual(Encoding.ASCII.GetBytes(kind + "-----")))
                    {
                        throw new MalformedPacketException("its armor ends as another kind");
                    }

                    break;
                }

                if (checksum.Length > 0)
                {
                    throw new MalformedPacketException("its armor goes on after the checksum");
                }

                if (line.Length == 5 && line[0] == '=')
                {
                    checksum = line[1..].ToArray();
                    continue;
                }

                line.CopyTo(base64.AsSpan(length));
                length += line.Length;
            }

            Span<byte> decoded = output.GetSpan(Math.Max(1, length));
            if (Base64.DecodeFromUtf8(base64.AsSpan(0, length), decoded, out _, out int written) != OperationStatus.Done)
            {
                throw new MalformedPacketException("its armor holds more than base64");
            }

            if (checksum.Length > 0 && !ChecksumFits(checksum, decoded[..written]))
            {
                throw new MalformedPacketException("the checksum of its armor is wrong");
            }

            output.Advance(written);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(base64);
        }
    }

    private static bool ChecksumFits(ReadOnlySpan<byte> checksum, ReadOnlySpan<byte> data)
    {
        Span<byte> bytes = stackalloc byte[3];
        return Base64.DecodeFromUtf8(checksum, bytes, out _, out int written) == OperationStatus.Done
            && written == 3
            && ((uint)(bytes[0] << 16) | (uint)(bytes[1] << 8) | bytes[2]) == Crc24(data);
    }

    private static uint Crc24(ReadOnlySpan<byte> data)
    {
        uint crc = 0xB704CE;
        foreach (byte b in data)
        {
            crc ^= (uint)b << 16;
            for (int i = 0; i < 8; i++)
            {
                crc <<= 1;
                if ((crc & 0x1000000) != 0)
                {
                    crc ^= 0x1864CFB;
                }
            }
        }

        return crc & 0xFFFFFF;
    }

    /// <summary>The next line without its end and without trailing white space, which mail programs add.</summary>
    private static ReadOnlySpan<byte> ReadLine(ref ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        return line.TrimEnd(" \t\r"u8);
    }
}
