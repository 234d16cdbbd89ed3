namespace Appc.Signing.Packets;

/// <summary>One packet of a file: its body, and the whole of it with its header.</summary>
internal readonly record struct Packet(PacketTag Tag, ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> Whole)
{
    /// <summary>More than any honest file holds; bounds the work before anything is verified.</summary>
    private const int MaxPackets = 10_000;

    /// <summary>
    /// Splits a file into packets. Lengths of every form are checked against the file; partial and
    /// indeterminate lengths are for data streams and are refused, since keys and signatures never need them.
    /// </summary>
    public static IReadOnlyList<Packet> ReadAll(ReadOnlyMemory<byte> data)
    {
        var packets = new List<Packet>();
        var reader = new ByteReader(data);
        while (!reader.AtEnd)
        {
            if (packets.Count == MaxPackets)
            {
                throw new MalformedPacketException($"it holds more than {MaxPackets} packets");
            }

            int start = reader.Position;
            byte header = reader.ReadByte();
            if ((header & 0x80) == 0)
            {
                throw new MalformedPacketException("it is not made of OpenPGP packets");
            }

            int tag;
            uint length;
            if ((header & 0x40) != 0)
            {
                tag = header & 0x3F;
                length = ReadNewLength(ref reader);
            }
            else
            {
                tag = (header >> 2) & 0x0F;
                length = (header & 3) switch
                {
                    0 => reader.ReadByte(),
                    1 => reader.ReadUInt16(),
                    2 => reader.ReadUInt32(),
                    _ => throw new MalformedPacketException("a packet has no definite length"),
                };
            }

            ReadOnlyMemory<byte> body = reader.Take(length);
            packets.Add(new Packet((PacketTag)tag, body, data[start..reader.Position]));
        }

        return packets;
    }

    private static uint ReadNewLength(ref ByteReader reader)
    {
        byte first = reader.ReadByte();
        return first switch
        {
            < 192 => first,
            < 224 => (uint)(((first - 192) << 8) + reader.ReadByte() + 192),
            255 => reader.ReadUInt32(),
            _ => throw new MalformedPacketException("a packet has a partial length"),
        };
    }

    /// <summary>Writes a packet with a header of the current format.</summary>
    public static byte[] Write(PacketTag tag, ReadOnlySpan<byte> body)
    {
        var output = new MemoryStream(body.Length + 6);
        output.WriteByte((byte)(0xC0 | (int)tag));
        WriteLength(output, body.Length);
        output.Write(body);
        return output.ToArray();
    }

    /// <summary>Writes a length as packets and subpackets have it (RFC 9580, 4.2.1 and 5.2.3.7).</summary>
    public static void WriteLength(Stream output, int length)
    {
        if (length < 192)
        {
            output.WriteByte((byte)length);
        }
        else if (length < 8384)
        {
            output.WriteByte((byte)(((length - 192) >> 8) + 192));
            output.WriteByte((byte)(length - 192));
        }
        else
        {
            output.Write([255, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length]);
        }
    }
}
