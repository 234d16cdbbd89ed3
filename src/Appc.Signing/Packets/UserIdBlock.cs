namespace Appc.Signing.Packets;

/// <summary>A user id or attribute of a key, as it lies in the file, with the signatures that follow it.</summary>
internal sealed record UserIdBlock(PacketTag Tag, ReadOnlyMemory<byte> Body, IReadOnlyList<SignaturePacket> Signatures);
