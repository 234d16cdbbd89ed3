using System.Buffers.Binary;

namespace Appc.Signing.Packets;

/// <summary>
/// A signature packet (RFC 9580, 5.2), kept with the very bytes that it hashes: nothing is encoded anew, so
/// what is verified is what was read. Versions 3, 4 and 6 are read; which of them count is for the checks.
/// </summary>
internal sealed class SignaturePacket
{
    private readonly IReadOnlyList<Subpacket> _hashed;
    private readonly IReadOnlyList<Subpacket> _unhashed;
    private SignaturePacket[]? _embedded;

    private SignaturePacket(
        int version, SignatureType type, int algorithm, int hash, ReadOnlyMemory<byte> hashedPart,
        IReadOnlyList<Subpacket> hashed, IReadOnlyList<Subpacket> unhashed, ReadOnlyMemory<byte> salt,
        ReadOnlyMemory<byte> value, DateTimeOffset? created, ulong? keyId)
    {
        Version = version;
        Type = type;
        Algorithm = algorithm;
        Hash = hash;
        HashedPart = hashedPart;
        _hashed = hashed;
        _unhashed = unhashed;
        Salt = salt;
        Value = value;
        Created = created;
        IssuerKeyId = keyId;
    }

    public int Version { get; }

    public SignatureType Type { get; }

    public int Algorithm { get; }

    public int Hash { get; }

    /// <summary>The part of the packet that is hashed after the data.</summary>
    public ReadOnlyMemory<byte> HashedPart { get; }

    /// <summary>What is hashed before the data; empty before version 6.</summary>
    public ReadOnlyMemory<byte> Salt { get; }

    /// <summary>The numbers of the signature, as the algorithm writes them.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>When it was made, by the hashed subpackets alone; null if they do not say.</summary>
    public DateTimeOffset? Created { get; }

    /// <summary>The key id that it names. A hint: which key really signed is proven by verifying.</summary>
    public ulong? IssuerKeyId { get; }

    /// <summary>The fingerprint that it names, in upper or lower area; null if it names none.</summary>
    public ReadOnlyMemory<byte>? IssuerFingerprint { get; private init; }

    /// <summary>When it expires; null if never.</summary>
    public DateTimeOffset? Expires { get; private init; }

    /// <summary>Seconds after a key's creation when that key expires; null if not stated, 0 for never.</summary>
    public uint? KeyExpiration { get; private init; }

    /// <summary>What the key may be used for; null if not stated.</summary>
    public int? KeyFlags { get; private init; }

    /// <summary>A critical subpacket whose meaning is not known; null if there is none.</summary>
    public string? UnknownCritical { get; private init; }

    /// <summary>Code and text of a revocation.</summary>
    public (int Code, ReadOnlyMemory<byte> Text)? RevocationReason { get; private init; }

    /// <summary>
    /// Back signatures, those that can be read: always the same packets. gpg writes them into the area that is not hashed; they
    /// prove themselves.
    /// </summary>
    public IReadOnlyList<SignaturePacket> EmbeddedSignatures => LazyInitializer.EnsureInitialized(
        ref _embedded,
        () => [.. _hashed.Concat(_unhashed).Where(s => s.Type == (int)SubpacketType.EmbeddedSignature).Select(s => TryRead(s.Data)).OfType<SignaturePacket>()]);

    /// <summary>Fingerprints of other keys that may revoke the key.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> RevocationKeys =>
        _hashed.Where(s => s.Type == (int)SubpacketType.RevocationKey && s.Data.Length > 2).Select(s => s.Data[2..]);

    public static SignaturePacket Read(ReadOnlyMemory<byte> body)
    {
        var reader = new ByteReader(body);
        int version = reader.ReadByte();
        return version switch
        {
            2 or 3 => ReadOld(ref reader, version),
            4 or 6 => ReadCurrent(ref reader, body, version),
            _ => throw new MalformedPacketException($"a signature has version {version}, which is not known"),
        };
    }

    /// <summary>Null if it cannot be read, as one of a kind that is not known: such a signature says nothing.</summary>
    public static SignaturePacket? TryRead(ReadOnlyMemory<byte> body)
    {
        try
        {
            return Read(body);
        }
        catch (MalformedPacketException)
        {
            return null;
        }
    }

    /// <summary>The bytes that are hashed after the data: the hashed part and its length (RFC 9580, 5.2.4).</summary>
    public byte[] Trailer()
    {
        if (Version <= 3)
        {
            return HashedPart.ToArray();
        }

        byte[] trailer = new byte[HashedPart.Length + 6];
        HashedPart.Span.CopyTo(trailer);
        trailer[^6] = (byte)Version;
        trailer[^5] = 0xFF;
        BinaryPrimitives.WriteUInt32BigEndian(trailer.AsSpan(trailer.Length - 4), (uint)HashedPart.Length);
        return trailer;
    }

    private static SignaturePacket ReadOld(ref ByteReader reader, int version)
    {
        if (reader.ReadByte() != 5)
        {
            throw new MalformedPacketException("a signature has a wrong length");
        }

        ReadOnlyMemory<byte> hashedPart = reader.Take(5);
        ulong keyId = ((ulong)reader.ReadUInt32() << 32) | reader.ReadUInt32();
        int algorithm = reader.ReadByte();
        int hash = reader.ReadByte();
        reader.ReadUInt16();
        return new SignaturePacket(
            version, (SignatureType)hashedPart.Span[0], algorithm, hash, hashedPart, [], [], default, reader.TakeRest(),
            Time(hashedPart[1..]), keyId);
    }

    private static SignaturePacket ReadCurrent(ref ByteReader reader, ReadOnlyMemory<byte> body, int version)
    {
        var type = (SignatureType)reader.ReadByte();
        int algorithm = reader.ReadByte();
        int hash = reader.ReadByte();
        IReadOnlyList<Subpacket> hashed = Subpacket.ReadAll(reader.Take(version == 6 ? reader.ReadUInt32() : reader.ReadUInt16()));
        ReadOnlyMemory<byte> hashedPart = body[..reader.Position];
        IReadOnlyList<Subpacket> unhashed = Subpacket.ReadAll(reader.Take(version == 6 ? reader.ReadUInt32() : reader.ReadUInt16()));
        reader.ReadUInt16(); // the digest's first bytes: a hint that proves nothing
        ReadOnlyMemory<byte> salt = version == 6 ? reader.Take(reader.ReadByte()) : default;
        ReadOnlyMemory<byte> value = reader.TakeRest();

        DateTimeOffset? created = Single(hashed, SubpacketType.CreationTime) is { } time ? Time(time) : null;
        uint? lifetime = Single(hashed, SubpacketType.ExpirationTime) is { } seconds ? Number(seconds) : null;
        ReadOnlyMemory<byte>? reason = Single(hashed, SubpacketType.RevocationReason);
        ReadOnlyMemory<byte>? flags = Single(hashed, SubpacketType.KeyFlags);
        ReadOnlyMemory<byte>? issuer = Single(hashed, SubpacketType.IssuerFingerprint) ?? Single(unhashed, SubpacketType.IssuerFingerprint);
        ReadOnlyMemory<byte>? keyId = Single(hashed, SubpacketType.Issuer) ?? Single(unhashed, SubpacketType.Issuer);
        return new SignaturePacket(version, type, algorithm, hash, hashedPart, hashed, unhashed, salt, value, created, keyId is { } id ? KeyIdOf(id) : null)
        {
            Expires = created is { } c && lifetime is { } l and > 0 ? c.AddSeconds(l) : null,
            KeyExpiration = Single(hashed, SubpacketType.KeyExpirationTime) is { } expiry ? Number(expiry) : null,
            KeyFlags = flags is { } f ? (f.IsEmpty ? 0 : f.Span[0]) : null,
            RevocationReason = reason is { IsEmpty: false } r ? (r.Span[0], r[1..]) : null,
            IssuerFingerprint = issuer is { Length: > 1 } fingerprint ? fingerprint[1..] : default(ReadOnlyMemory<byte>?),
            UnknownCritical = DescribeUnknownCritical(hashed.Concat(unhashed)),
        };
    }

    /// <summary>
    /// The one subpacket of a type. Two that differ would let two programs read one signature in two ways.
    /// </summary>
    private static ReadOnlyMemory<byte>? Single(IReadOnlyList<Subpacket> area, SubpacketType type)
    {
        ReadOnlyMemory<byte>? found = null;
        foreach (Subpacket subpacket in area)
        {
            if (subpacket.Type != (int)type)
            {
                continue;
            }

            if (found is { } earlier && !earlier.Span.SequenceEqual(subpacket.Data.Span))
            {
                throw new MalformedPacketException($"a signature states subpacket {(int)type} twice, differently");
            }

            found = subpacket.Data;
        }

        return found;
    }

    private static string? DescribeUnknownCritical(IEnumerable<Subpacket> subpackets)
    {
        foreach (Subpacket subpacket in subpackets)
        {
            if (subpacket.Critical && !subpacket.IsKnown)
            {
                return subpacket.Type == (int)SubpacketType.Notation ? "a critical notation" : $"the critical subpacket {subpacket.Type}";
            }
        }

        return null;
    }

    private static DateTimeOffset Time(ReadOnlyMemory<byte> data) => DateTimeOffset.FromUnixTimeSeconds(Number(data));

    private static uint Number(ReadOnlyMemory<byte> data) => data.Length == 4
        ? BinaryPrimitives.ReadUInt32BigEndian(data.Span)
        : throw new MalformedPacketException("a signature states a time of a wrong length");

    private static ulong KeyIdOf(ReadOnlyMemory<byte> data) => data.Length == 8
        ? BinaryPrimitives.ReadUInt64BigEndian(data.Span)
        : throw new MalformedPacketException("a signature states a key id of a wrong length");
}
