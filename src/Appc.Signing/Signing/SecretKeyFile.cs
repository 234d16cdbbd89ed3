using Appc.Signing.Packets;
using Org.BouncyCastle.Bcpg.OpenPgp;

namespace Appc.Signing.Signing;

/// <summary>A secret key as gpg exports it: its public half as a certificate, its secret half still protected.</summary>
internal sealed class SecretKeyFile
{
    private readonly Dictionary<string, PgpSecretKey> _secrets;

    private SecretKeyFile(Certificate certificate, Dictionary<string, PgpSecretKey> secrets)
    {
        Certificate = certificate;
        _secrets = secrets;
    }

    public Certificate Certificate { get; }

    /// <summary>The secret half of a key; null if the file has only its public half, as for keys that are kept offline.</summary>
    public PgpSecretKey? SecretOf(KeyPacket key) =>
        _secrets.TryGetValue(key.Fingerprint, out PgpSecretKey? secret) && !secret.IsPrivateKeyEmpty ? secret : null;

    public static SecretKeyFile Read(ReadOnlyMemory<byte> file)
    {
        ReadOnlyMemory<byte> data = Armor.Open(file, Armor.PrivateKey);
        IReadOnlyList<Packet> packets = Packet.ReadAll(data);
        int keys = packets.Count(p => p.Tag == PacketTag.SecretKey);
        if (keys != 1)
        {
            throw new MalformedPacketException(keys == 0 ? "it holds no secret key" : $"it holds {keys} secret keys; export one alone");
        }

        try
        {
            var ring = new PgpSecretKeyRing(data.ToArray());
            var secrets = new Dictionary<string, PgpSecretKey>();
            using var publicHalf = new MemoryStream();
            using IEnumerator<PgpSecretKey> next = ring.GetSecretKeys().GetEnumerator();
            foreach (Packet packet in packets)
            {
                if (packet.Tag is not (PacketTag.SecretKey or PacketTag.SecretSubkey))
                {
                    publicHalf.Write(packet.Whole.Span);
                    continue;
                }

                if (!next.MoveNext())
                {
                    throw new MalformedPacketException("its packets are in no sensible order");
                }

                ReadOnlyMemory<byte> body = Packet.ReadAll(next.Current.PublicKey.GetEncoded())[0].Body;
                secrets[KeyPacket.Read(body).Fingerprint] = next.Current;
                publicHalf.Write(Packet.Write(
                    packet.Tag == PacketTag.SecretKey ? PacketTag.PublicKey : PacketTag.PublicSubkey, body.Span));
            }

            return new SecretKeyFile(Certificate.ReadAll(publicHalf.ToArray())[0], secrets);
        }
        catch (Exception e) when (e is not (MalformedPacketException or OutOfMemoryException))
        {
            throw new MalformedPacketException($"it is damaged or of a kind that is not supported ({CleanText.From(e.Message)})");
        }
    }
}
