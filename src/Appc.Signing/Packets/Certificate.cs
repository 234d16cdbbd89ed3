using System.Buffers;
using System.Collections.Concurrent;

namespace Appc.Signing.Packets;

/// <summary>
/// A public key as a file has it: primary key, user ids, subkeys, signatures (RFC 9580, 10.1). Only read, not
/// checked: anybody can append packets to somebody's key.
/// </summary>
internal sealed class Certificate
{
    private const int MaxSubkeys = 256;

    private readonly ConcurrentDictionary<SignaturePacket, bool> _verified = new(concurrencyLevel: 1, capacity: 3);

    private Certificate(
        KeyPacket primary, IReadOnlyList<SignaturePacket> direct, IReadOnlyList<UserIdBlock> userIds,
        IReadOnlyList<SubkeyBlock> subkeys, ReadOnlyMemory<byte> encoded)
    {
        Primary = primary;
        DirectSignatures = direct;
        UserIds = userIds;
        Subkeys = subkeys;
        Encoded = encoded;
    }

    public KeyPacket Primary { get; }

    public IReadOnlyList<SignaturePacket> DirectSignatures { get; }

    public IReadOnlyList<UserIdBlock> UserIds { get; }

    public IReadOnlyList<SubkeyBlock> Subkeys { get; }

    /// <summary>The key's packets as they were read, without what programs add for their own use.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    public string Fingerprint => Primary.Fingerprint;

    /// <summary>
    /// Whether one of the certificate's own signatures fits what it is over: a matter of these bytes alone, at any time and
    /// under any policy, so it is found out once.
    /// </summary>
    public bool Verifies(SignaturePacket signature, Func<SignaturePacket, bool> verify) => _verified.GetOrAdd(signature, verify);

    /// <summary>All keys of a file, armored or binary; at least one.</summary>
    public static IReadOnlyList<Certificate> ReadAll(ReadOnlyMemory<byte> file)
    {
        var certificates = new List<Certificate>();
        Builder? builder = null;
        foreach (Packet packet in Packet.ReadAll(Armor.Open(file, Armor.PublicKey)))
        {
            if (packet.Tag == PacketTag.PublicKey)
            {
                Finish(builder);
                builder = new Builder(packet);
                continue;
            }

            if (packet.Tag is PacketTag.Marker or PacketTag.Padding or PacketTag.Trust || (int)packet.Tag >= 40)
            {
                continue; // meant to be ignored (RFC 9580, 4.3)
            }

            if (packet.Tag is PacketTag.SecretKey or PacketTag.SecretSubkey)
            {
                throw new MalformedPacketException("it holds a secret key; only public keys belong into a keystore");
            }

            if (builder is null || !builder.TryAdd(packet))
            {
                throw new MalformedPacketException(builder is null && packet.Tag == PacketTag.Signature
                    ? "it is a signature, not a key"
                    : $"packet {(int)packet.Tag} does not belong into a key");
            }
        }

        Finish(builder);
        return certificates.Count > 0 ? certificates : throw new MalformedPacketException("it holds no key");

        void Finish(Builder? finished)
        {
            if (finished is not null)
            {
                certificates.Add(finished.Build());
            }
        }
    }

    private sealed class Builder
    {
        private readonly KeyPacket _primary;
        private readonly List<SignaturePacket> _direct = [];
        private readonly List<UserIdBlock> _userIds = [];
        private readonly List<SubkeyBlock> _subkeys = [];
        private readonly ArrayBufferWriter<byte> _encoded = new();
        private List<SignaturePacket> _current;

        public Builder(Packet primary)
        {
            _primary = KeyPacket.Read(primary.Body);
            _current = _direct;
            _encoded.Write(primary.Whole.Span);
        }

        public bool TryAdd(Packet packet)
        {
            switch (packet.Tag)
            {
                case PacketTag.Signature:
                    AddSignature(packet.Body);
                    break;
                case PacketTag.UserId:
                case PacketTag.UserAttribute:
                    _current = [];
                    _userIds.Add(new UserIdBlock(packet.Tag, packet.Body, _current));
                    break;
                case PacketTag.PublicSubkey:
                    if (_subkeys.Count == MaxSubkeys)
                    {
                        throw new MalformedPacketException($"a key has more than {MaxSubkeys} subkeys");
                    }

                    _current = [];
                    if (TryReadSubkey(packet.Body) is { } subkey)
                    {
                        _subkeys.Add(new SubkeyBlock(subkey, _current));
                    }

                    break;
                default:
                    return false;
            }

            _encoded.Write(packet.Whole.Span);
            return true;
        }

        public Certificate Build() => new(_primary, _direct, _userIds, _subkeys, _encoded.WrittenSpan.ToArray());

        /// <summary>
        /// A signature of a kind that cannot be read gives no rights, so it may be left out: keys carry signatures
        /// of many people and programs.
        /// </summary>
        private void AddSignature(ReadOnlyMemory<byte> body)
        {
            if (SignaturePacket.TryRead(body) is { } signature)
            {
                _current.Add(signature);
            }
        }

        private static KeyPacket? TryReadSubkey(ReadOnlyMemory<byte> body)
        {
            try
            {
                return KeyPacket.Read(body);
            }
            catch (MalformedPacketException)
            {
                return null;
            }
        }
    }
}
