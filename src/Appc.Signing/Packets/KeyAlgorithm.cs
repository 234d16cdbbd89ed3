namespace Appc.Signing.Packets;

/// <summary>Public key algorithms that can sign (RFC 9580, 9.1).</summary>
internal enum KeyAlgorithm
{
    Rsa = 1,
    RsaSignOnly = 3,
    Dsa = 17,
    ECDsa = 19,
    EdDsaLegacy = 22,
    Ed25519 = 27,
}
