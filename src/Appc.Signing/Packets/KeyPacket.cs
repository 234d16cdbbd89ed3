using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Appc.Signing.Packets;

/// <summary>A public key or subkey packet (RFC 9580, 5.5.2), kept with the very bytes that are hashed.</summary>
internal sealed class KeyPacket
{
    private KeyPacket(int version, DateTimeOffset created, int algorithm, ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> material)
    {
        Version = version;
        Created = created;
        Body = body;
        Material = KeyMaterial.Read(algorithm, material);
        FingerprintBytes = ComputeFingerprint(HashPrefix(), body);
        Fingerprint = Convert.ToHexStringLower(FingerprintBytes);
        KeyId = version == 4
            ? BinaryPrimitives.ReadUInt64BigEndian(FingerprintBytes.AsSpan(12))
            : BinaryPrimitives.ReadUInt64BigEndian(FingerprintBytes);
    }

    public int Version { get; }

    public DateTimeOffset Created { get; }

    public KeyMaterial Material { get; }

    public ReadOnlyMemory<byte> Body { get; }

    public byte[] FingerprintBytes { get; }

    /// <summary>In lower-case hex: 40 digits for version 4, 64 for version 6.</summary>
    public string Fingerprint { get; }

    public ulong KeyId { get; }

    public static KeyPacket Read(ReadOnlyMemory<byte> body)
    {
        var reader = new ByteReader(body);
        int version = reader.ReadByte();
        if (version is not (4 or 6))
        {
            throw new MalformedPacketException($"a key has version {version}; versions 4 and 6 are supported");
        }

        if (version == 4 && body.Length > ushort.MaxValue)
        {
            throw new MalformedPacketException("a key is larger than version 4 allows");
        }

        DateTimeOffset created = DateTimeOffset.FromUnixTimeSeconds(reader.ReadUInt32());
        int algorithm = reader.ReadByte();
        ReadOnlyMemory<byte> material = version == 6 ? reader.Take(reader.ReadUInt32()) : reader.TakeRest();
        return reader.AtEnd
            ? new KeyPacket(version, created, algorithm, body, material)
            : throw new MalformedPacketException("a key packet is longer than its key");
    }

    /// <summary>What precedes the key's body wherever a signature or a fingerprint hashes the key.</summary>
    public byte[] HashPrefix()
    {
        if (Version == 4)
        {
            return [0x99, (byte)(Body.Length >> 8), (byte)Body.Length];
        }

        byte[] prefix = [0x9B, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(prefix.AsSpan(1), (uint)Body.Length);
        return prefix;
    }

    /// <summary>Whether a signature's hints fit this key; says nothing about who made the signature.</summary>
    public bool IsNamedBy(SignaturePacket signature) => signature.IssuerKeyId is { } id
        ? id == KeyId
        : signature.IssuerFingerprint is { } fingerprint && fingerprint.Span.SequenceEqual(FingerprintBytes);

    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms",
        Justification = "The fingerprint of version 4 keys is a SHA-1 by definition.")]
    private byte[] ComputeFingerprint(byte[] prefix, ReadOnlyMemory<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(Version == 4 ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256);
        hash.AppendData(prefix);
        hash.AppendData(body.Span);
        return hash.GetHashAndReset();
    }
}
