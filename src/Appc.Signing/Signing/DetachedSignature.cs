using System.Buffers.Binary;
using Appc.Signing.Checks;
using Appc.Signing.Packets;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;

namespace Appc.Signing.Signing;

/// <summary>Writes a signature packet of version 4 (RFC 9580, 5.2.3) over a digest.</summary>
internal static class DetachedSignature
{
    /// <summary>What is hashed after the data: everything up to the end of the hashed subpackets.</summary>
    public static byte[] HashedPart(KeyPacket key, DateTimeOffset created)
    {
        byte[] time = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(time, checked((uint)created.ToUnixTimeSeconds()));
        byte[] subpackets =
        [
            .. Subpacket(SubpacketType.IssuerFingerprint, [(byte)key.Version, .. key.FingerprintBytes]),
            .. Subpacket(SubpacketType.CreationTime, time),
        ];
        return
        [
            4, (byte)SignatureType.Binary, (byte)key.Material.Algorithm, (byte)OpenPgpHash.Sha512.Id,
            (byte)(subpackets.Length >> 8), (byte)subpackets.Length, .. subpackets,
        ];
    }

    /// <summary>The whole packet.</summary>
    public static byte[] Write(KeyPacket key, AsymmetricKeyParameter secret, byte[] hashedPart, byte[] digest)
    {
        byte[] keyId = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(keyId, key.KeyId);
        byte[] hint = Subpacket(SubpacketType.Issuer, keyId);
        byte[] body =
        [
            .. hashedPart, (byte)(hint.Length >> 8), (byte)hint.Length, .. hint, digest[0], digest[1],
            .. Sign((KeyAlgorithm)key.Material.Algorithm, secret, digest),
        ];
        return Packet.Write(PacketTag.Signature, body);
    }

    /// <summary>The numbers of a signature, as its packet holds them.</summary>
    public static byte[] Sign(KeyAlgorithm algorithm, AsymmetricKeyParameter secret, byte[] digest)
    {
        switch (algorithm)
        {
            case KeyAlgorithm.Rsa or KeyAlgorithm.RsaSignOnly:
                return Mpi(new BigInteger(1, Run(new RsaDigestSigner(new NullDigest(), OpenPgpHash.Sha512.Oid), secret, digest)));
            case KeyAlgorithm.Dsa:
                return Pair(new DsaSigner(new HMacDsaKCalculator(new Sha512Digest())), secret, digest);
            case KeyAlgorithm.ECDsa:
                return Pair(new ECDsaSigner(new HMacDsaKCalculator(new Sha512Digest())), secret, digest);
            case KeyAlgorithm.EdDsaLegacy:
                byte[] value = Run(new Ed25519Signer(), secret, digest);
                return [.. Mpi(new BigInteger(1, value.AsSpan(0, 32))), .. Mpi(new BigInteger(1, value.AsSpan(32)))];
            case KeyAlgorithm.Ed25519:
                return Run(new Ed25519Signer(), secret, digest);
            default:
                throw new MalformedPacketException("keys of this algorithm cannot sign here");
        }
    }

    private static byte[] Run(ISigner signer, AsymmetricKeyParameter secret, byte[] digest)
    {
        signer.Init(true, secret);
        signer.BlockUpdate(digest, 0, digest.Length);
        return signer.GenerateSignature();
    }

    /// <summary>Nonces are derived from key and digest (RFC 6979): no weak random number can give the key away.</summary>
    private static byte[] Pair(IDsa dsa, AsymmetricKeyParameter secret, byte[] digest)
    {
        dsa.Init(true, secret);
        BigInteger[] pair = dsa.GenerateSignature(digest);
        return [.. Mpi(pair[0]), .. Mpi(pair[1])];
    }

    private static byte[] Mpi(BigInteger number) =>
        [(byte)(number.BitLength >> 8), (byte)number.BitLength, .. number.ToByteArrayUnsigned()];

    public static byte[] Subpacket(SubpacketType type, byte[] data) => [(byte)(data.Length + 1), (byte)type, .. data];
}
