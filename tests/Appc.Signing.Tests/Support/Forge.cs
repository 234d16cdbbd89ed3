using System.Buffers.Binary;
using Appc.Signing.Checks;
using Appc.Signing.Packets;
using Appc.Signing.Signing;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Security;

namespace Appc.Signing.Tests.Support;

/// <summary>A key pair and what gpg would refuse to make with it.</summary>
internal sealed class Forge(KeyPacket key, AsymmetricKeyParameter secret)
{
    public static readonly DateTimeOffset KeyTime = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public KeyPacket Key => key;

    /// <summary>A new Ed25519 key: of the older form, of the newer, or of version 6.</summary>
    public static Forge NewKey(KeyAlgorithm algorithm = KeyAlgorithm.EdDsaLegacy, int version = 4, DateTimeOffset? created = null)
    {
        var pair = new Ed25519PrivateKeyParameters(new SecureRandom());
        byte[] point = pair.GeneratePublicKey().GetEncoded();
        byte[] material = algorithm == KeyAlgorithm.EdDsaLegacy
            ? [9, 0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x0F, 0x01, 0x01, 0x07, 0x40, .. point]
            : point;
        byte[] length = version == 6 ? [0, 0, 0, (byte)material.Length] : [];
        return new Forge(KeyPacket.Read((byte[])[(byte)version, .. Time(created ?? KeyTime), (byte)algorithm, .. length, .. material]), pair);
    }

    /// <summary>The secret half of a key that gpg made.</summary>
    public static Forge Open(byte[] secretKey, int index = 0)
    {
        SecretKeyFile file = SecretKeyFile.Read(secretKey);
        KeyPacket key = index == 0 ? file.Certificate.Primary : file.Certificate.Subkeys[index - 1].Key;
        return new Forge(key, file.SecretOf(key)!.ExtractPrivateKeyUtf8([]).Key);
    }

    public static byte[] Time(DateTimeOffset time)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)time.ToUnixTimeSeconds());
        return bytes;
    }

    public static byte[] Sub(SubpacketType type, params byte[] data) => DetachedSignature.Subpacket(type, data);

    public static byte[] Critical(int type, params byte[] data)
    {
        byte[] subpacket = DetachedSignature.Subpacket((SubpacketType)type, data);
        subpacket[1] |= 0x80;
        return subpacket;
    }

    public byte[] Primary => Packet.Write(PacketTag.PublicKey, key.Body.Span);

    public byte[] AsSubkey => Packet.Write(PacketTag.PublicSubkey, key.Body.Span);

    public static byte[] UserId(string id) => Packet.Write(PacketTag.UserId, System.Text.Encoding.UTF8.GetBytes(id));

    /// <summary>A minimal sound certificate, on which tests then change one thing.</summary>
    public byte[] Certificate(params byte[][] selfSubpackets) =>
        [.. Primary, .. UserId("forged"), .. SelfSign("forged", subpackets: selfSubpackets)];

    public byte[] SelfSign(
        string id, SignatureType type = SignatureType.PositiveCertification, DateTimeOffset? created = null, int hash = 10, params byte[][] subpackets) =>
        Sign(type, [.. KeyBytes(key), .. Prefixed(0xB4, System.Text.Encoding.UTF8.GetBytes(id))], created ?? KeyTime, hash, subpackets);

    /// <summary>A signature of any type over a key, or over a key and a subkey.</summary>
    public byte[] SignKeys(SignatureType type, DateTimeOffset created, KeyPacket[] keys, int hash = 10, params byte[][] subpackets) =>
        Sign(type, [.. keys.SelectMany(KeyBytes)], created, hash, subpackets);

    public byte[] Back(KeyPacket primary, DateTimeOffset? created = null, int hash = 10) =>
        Packet.ReadAll(SignKeys(SignatureType.PrimaryKeyBinding, created ?? KeyTime, [primary, key], hash))[0].Body.ToArray();

    /// <summary>A subkey with a binding by this key, and a back signature in the area that is not hashed.</summary>
    public byte[] Bind(Forge subkey, byte[]? back, DateTimeOffset? created = null, int hash = 10, params byte[][] subpackets) =>
    [
        .. subkey.AsSubkey,
        .. Sign(
            SignatureType.SubkeyBinding, [.. KeyBytes(key), .. KeyBytes(subkey.Key)], created ?? KeyTime, hash, subpackets,
            back is null ? [] : [Sub(SubpacketType.EmbeddedSignature, back)]),
    ];

    public byte[] Sign(byte[] data, DateTimeOffset? created = null, params byte[][] subpackets) =>
        Sign(SignatureType.Binary, data, created ?? KeyTime.AddYears(1), 10, subpackets);

    public byte[] Sign(
        SignatureType type, byte[] data, DateTimeOffset? created, int hash, byte[][] subpackets, byte[][]? unhashed = null,
        int? version = null, int? algorithm = null, bool issuer = true, int? saltBytes = null)
    {
        int v = version ?? key.Version;
        OpenPgpHash algorithmOfHash = OpenPgpHash.Find(hash)!;
        byte[] hashed =
        [
            .. created is { } time ? Sub(SubpacketType.CreationTime, Time(time)) : [],
            .. subpackets.SelectMany(s => s),
        ];
        byte[] keyId = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(keyId, key.KeyId);
        byte[] hints =
        [
            .. !issuer ? [] : v == 6 ? Sub(SubpacketType.IssuerFingerprint, [6, .. key.FingerprintBytes]) : Sub(SubpacketType.Issuer, keyId),
            .. (unhashed ?? []).SelectMany(s => s),
        ];
        byte[] hashedPart = [(byte)v, (byte)type, (byte)(algorithm ?? key.Material.Algorithm), (byte)hash, .. Length(v, hashed), .. hashed];
        byte[] salt = v == 6 ? new byte[saltBytes ?? algorithmOfHash.SaltBytes] : [];
        Random.Shared.NextBytes(salt);

        IDigest digest = algorithmOfHash.CreateDigest();
        digest.BlockUpdate(salt);
        digest.BlockUpdate(data);
        digest.BlockUpdate((byte[])[.. hashedPart, (byte)v, 0xFF, 0, 0, (byte)(hashedPart.Length >> 8), (byte)hashedPart.Length]);
        byte[] value = DigestUtilities.DoFinal(digest);
        byte[] body =
        [
            .. hashedPart, .. Length(v, hints), .. hints, value[0], value[1], .. v == 6 ? (byte[])[(byte)salt.Length, .. salt] : [],
            .. key.Material.Rsa is null ? DetachedSignature.Sign((KeyAlgorithm)key.Material.Algorithm, secret, value) : SignRsa(algorithmOfHash, value),
        ];
        return Packet.Write(PacketTag.Signature, body);
    }

    /// <summary>By RSA also with the hashes that nothing signs with any more.</summary>
    private byte[] SignRsa(OpenPgpHash hash, byte[] digest)
    {
        var signer = new RsaDigestSigner(new NullDigest(), hash.Oid);
        signer.Init(true, secret);
        signer.BlockUpdate(digest, 0, digest.Length);
        var number = new Org.BouncyCastle.Math.BigInteger(1, signer.GenerateSignature());
        return [(byte)(number.BitLength >> 8), (byte)number.BitLength, .. number.ToByteArrayUnsigned()];
    }

    private static byte[] Length(int version, byte[] area) => version == 6
        ? [0, 0, (byte)(area.Length >> 8), (byte)area.Length]
        : [(byte)(area.Length >> 8), (byte)area.Length];

    private static byte[] KeyBytes(KeyPacket packet) => [.. packet.HashPrefix(), .. packet.Body.Span];

    private static byte[] Prefixed(byte prefix, byte[] data) => [prefix, 0, 0, (byte)(data.Length >> 8), (byte)data.Length, .. data];
}
