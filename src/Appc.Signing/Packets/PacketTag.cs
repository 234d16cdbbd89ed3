namespace Appc.Signing.Packets;

/// <summary>Packet types (RFC 9580, 5).</summary>
internal enum PacketTag
{
    Signature = 2,
    OnePassSignature = 4,
    SecretKey = 5,
    PublicKey = 6,
    SecretSubkey = 7,
    CompressedData = 8,
    Marker = 10,
    LiteralData = 11,
    Trust = 12,
    UserId = 13,
    PublicSubkey = 14,
    UserAttribute = 17,
    Padding = 21,
}
