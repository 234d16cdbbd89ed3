namespace Appc.Signing.Packets;

/// <summary>Signature subpacket types that are used here (RFC 9580, 5.2.3.7).</summary>
internal enum SubpacketType
{
    CreationTime = 2,
    ExpirationTime = 3,
    KeyExpirationTime = 9,
    RevocationKey = 12,
    Issuer = 16,
    Notation = 20,
    KeyFlags = 27,
    RevocationReason = 29,
    EmbeddedSignature = 32,
    IssuerFingerprint = 33,
}

/// <summary>One subpacket of a signature.</summary>
internal readonly record struct Subpacket(int Type, bool Critical, ReadOnlyMemory<byte> Data)
{
    /// <summary>
    /// Whether the meaning of the type is known, so that being critical does not void the signature. Notations
    /// are not here: each name would have to be known, and none is.
    /// </summary>
    public bool IsKnown => Type is 2 or 3 or 4 or 5 or 6 or 7 or 9 or 11 or 12 or 16 or 21 or 22 or 23 or 24 or 25
        or 26 or 27 or 28 or 29 or 30 or 31 or 32 or 33 or 34 or 35 or 39;

    public static IReadOnlyList<Subpacket> ReadAll(ReadOnlyMemory<byte> area)
    {
        var list = new List<Subpacket>();
        var reader = new ByteReader(area);
        while (!reader.AtEnd)
        {
            byte first = reader.ReadByte();
            uint length = first switch
            {
                < 192 => first,
                < 255 => (uint)(((first - 192) << 8) + reader.ReadByte() + 192),
                _ => reader.ReadUInt32(),
            };
            if (length == 0)
            {
                throw new MalformedPacketException("a signature has an empty subpacket");
            }

            ReadOnlyMemory<byte> content = reader.Take(length);
            byte type = content.Span[0];
            list.Add(new Subpacket(type & 0x7F, (type & 0x80) != 0, content[1..]));
        }

        return list;
    }
}
