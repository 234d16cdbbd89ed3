namespace Appc.Signing.Packets;

/// <summary>A subkey with the signatures that follow it. Nothing is proven about them.</summary>
internal sealed record SubkeyBlock(KeyPacket Key, IReadOnlyList<SignaturePacket> Signatures);
