namespace Appc.Signing.Packets;

/// <summary>
/// OpenPGP data that cannot be read. Never leaves the assembly: the public edge turns it into a
/// <see cref="Appc.Trust.TrustException"/> that names the file.
/// </summary>
internal sealed class MalformedPacketException(string message) : Exception(message);
