using System.Security.Cryptography;
using Appc.Signing.Packets;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;

namespace Appc.Signing.Checks;

/// <summary>Whether the numbers of a signature fit a key and a digest. Decides nothing else.</summary>
internal static class SignatureMath
{
    /// <summary>
    /// Verifies. Whatever the cryptographic library throws on hostile numbers means no: an error while checking
    /// must never be able to count as a good signature.
    /// </summary>
    public static bool Verify(KeyPacket key, SignaturePacket signature, OpenPgpHash hash, byte[] digest)
    {
        if (signature.Algorithm != key.Material.Algorithm)
        {
            return false;
        }

        try
        {
            var reader = new ByteReader(signature.Value);
            bool good = (KeyAlgorithm)signature.Algorithm switch
            {
                KeyAlgorithm.Rsa or KeyAlgorithm.RsaSignOnly => VerifyRsa(key, hash, digest, reader.ReadMpi()),
                KeyAlgorithm.Dsa => VerifyPair(new DsaSigner(), key, digest, ref reader),
                KeyAlgorithm.ECDsa => VerifyPair(new ECDsaSigner(), key, digest, ref reader),
                KeyAlgorithm.EdDsaLegacy => VerifyEd25519(key, digest, [.. Pad32(reader.ReadMpi()), .. Pad32(reader.ReadMpi())]),
                KeyAlgorithm.Ed25519 => VerifyEd25519(key, digest, reader.Take(64).ToArray()),
                _ => false,
            };
            return good && reader.AtEnd;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return false;
        }
    }

    /// <summary>
    /// The platform's RSA (PKCS #1 v1.5), which is many times as fast. Hosts may forbid it weak hashes, which would void
    /// the revocations of old keys, so these are compared by numbers.
    /// </summary>
    private static bool VerifyRsa(KeyPacket key, OpenPgpHash hash, byte[] digest, ReadOnlyMemory<byte> value)
    {
        (BigInteger modulus, BigInteger exponent) = key.Material.Rsa!.Value;
        byte[] n = modulus.ToByteArrayUnsigned();
        if (hash.Strong is not { } platform)
        {
            return VerifyRsaByNumbers(modulus, exponent, hash, digest, Number(value));
        }

        if (value.Length > n.Length)
        {
            return false;
        }

        byte[] padded = new byte[n.Length];
        value.Span.CopyTo(padded.AsSpan(n.Length - value.Length));
        using var rsa = RSA.Create(new RSAParameters { Modulus = n, Exponent = exponent.ToByteArrayUnsigned() });
        return rsa.VerifyHash(digest, padded, platform, RSASignaturePadding.Pkcs1);
    }

    /// <summary>
    /// Compares with the one encoding that is right (RFC 8017, 8.2.2), so nothing in a padding has to be read.
    /// The library's own key type would first search the modulus for prime factors, which takes longer than hashing
    /// most images and guards against nobody: a key's owner is who gives the modulus.
    /// </summary>
    private static bool VerifyRsaByNumbers(BigInteger modulus, BigInteger exponent, OpenPgpHash hash, byte[] digest, BigInteger value)
    {
        byte[] info = new DigestInfo(new AlgorithmIdentifier(hash.Oid, DerNull.Instance), digest).GetDerEncoded();
        byte[] padding = new byte[((modulus.BitLength + 7) / 8) - info.Length - 3];
        if (padding.Length < 8 || value.CompareTo(modulus) >= 0)
        {
            return false;
        }

        Array.Fill(padding, (byte)0xFF);
        return value.ModPow(exponent, modulus).Equals(new BigInteger(1, (byte[])[0, 1, .. padding, 0, .. info]));
    }

    private static bool VerifyEd25519(KeyPacket key, byte[] digest, byte[] value)
    {
        var signer = new Ed25519Signer();
        signer.Init(false, key.Material.ToParameter());
        signer.BlockUpdate(digest, 0, digest.Length);
        return signer.VerifySignature(value);
    }

    private static bool VerifyPair(IDsa dsa, KeyPacket key, byte[] digest, ref ByteReader reader)
    {
        BigInteger r = Number(reader.ReadMpi());
        BigInteger s = Number(reader.ReadMpi());
        dsa.Init(false, key.Material.ToParameter());
        return dsa.VerifySignature(digest, r, s);
    }

    private static BigInteger Number(ReadOnlyMemory<byte> bytes) => new(1, bytes.Span);

    /// <summary>The scalars of the older Ed25519 form are written as numbers, without their leading zeros.</summary>
    private static byte[] Pad32(ReadOnlyMemory<byte> number)
    {
        byte[] padded = new byte[32];
        number.Span.CopyTo(padded.AsSpan(32 - number.Length));
        return padded;
    }
}
