using Appc.Signing.Packets;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
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
                KeyAlgorithm.Rsa or KeyAlgorithm.RsaSignOnly => Run(
                    new RsaDigestSigner(new NullDigest(), hash.Oid), key, digest, reader.ReadMpi().ToArray()),
                KeyAlgorithm.Dsa => VerifyPair(new DsaSigner(), key, digest, ref reader),
                KeyAlgorithm.ECDsa => VerifyPair(new ECDsaSigner(), key, digest, ref reader),
                KeyAlgorithm.EdDsaLegacy => Run(
                    new Ed25519Signer(), key, digest, [.. Pad32(reader.ReadMpi()), .. Pad32(reader.ReadMpi())]),
                KeyAlgorithm.Ed25519 => Run(new Ed25519Signer(), key, digest, reader.Take(64).ToArray()),
                _ => false,
            };
            return good && reader.AtEnd;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return false;
        }
    }

    private static bool Run(ISigner signer, KeyPacket key, byte[] digest, byte[] value)
    {
        signer.Init(false, key.Material.ToParameter());
        signer.BlockUpdate(digest, 0, digest.Length);
        return signer.VerifySignature(value);
    }

    private static bool VerifyPair(IDsa dsa, KeyPacket key, byte[] digest, ref ByteReader reader)
    {
        var r = new BigInteger(1, reader.ReadMpi().Span);
        var s = new BigInteger(1, reader.ReadMpi().Span);
        dsa.Init(false, key.Material.ToParameter());
        return dsa.VerifySignature(digest, r, s);
    }

    /// <summary>The scalars of the older Ed25519 form are written as numbers, without their leading zeros.</summary>
    private static byte[] Pad32(ReadOnlyMemory<byte> number)
    {
        byte[] padded = new byte[32];
        number.Span.CopyTo(padded.AsSpan(32 - number.Length));
        return padded;
    }
}
