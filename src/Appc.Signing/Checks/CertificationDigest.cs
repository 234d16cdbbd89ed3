using System.Buffers.Binary;
using Appc.Signing.Packets;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Security;

namespace Appc.Signing.Checks;

/// <summary>The digests of signatures over keys and user ids (RFC 9580, 5.2.4).</summary>
internal static class CertificationDigest
{
    public static bool VerifyOverKey(KeyPacket signer, SignaturePacket signature, KeyPacket key) =>
        Verify(signer, signature, digest => Append(digest, key));

    public static bool VerifyOverUserId(KeyPacket signer, SignaturePacket signature, KeyPacket key, UserIdBlock userId) =>
        Verify(signer, signature, digest =>
        {
            Append(digest, key);
            byte[] prefix = [userId.Tag == PacketTag.UserId ? (byte)0xB4 : (byte)0xD1, 0, 0, 0, 0];
            BinaryPrimitives.WriteUInt32BigEndian(prefix.AsSpan(1), (uint)userId.Body.Length);
            digest.BlockUpdate(prefix);
            digest.BlockUpdate(userId.Body.Span);
        });

    public static bool VerifyOverSubkey(KeyPacket signer, SignaturePacket signature, KeyPacket primary, KeyPacket subkey) =>
        Verify(signer, signature, digest =>
        {
            Append(digest, primary);
            Append(digest, subkey);
        });

    private static bool Verify(KeyPacket signer, SignaturePacket signature, Action<IDigest> feed)
    {
        if (OpenPgpHash.Find(signature.Hash) is not { } algorithm)
        {
            return false;
        }

        IDigest digest = algorithm.CreateDigest();
        digest.BlockUpdate(signature.Salt.Span);
        feed(digest);
        digest.BlockUpdate(signature.Trailer());
        return SignatureMath.Verify(signer, signature, algorithm, DigestUtilities.DoFinal(digest));
    }

    private static void Append(IDigest digest, KeyPacket key)
    {
        digest.BlockUpdate(key.HashPrefix());
        digest.BlockUpdate(key.Body.Span);
    }
}
