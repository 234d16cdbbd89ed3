namespace Appc.Signing;

/// <summary>A subkey of an <see cref="OpenPgpKey"/>.</summary>
/// <param name="Fingerprint">In lower-case hex.</param>
/// <param name="Algorithm">Such as <c>RSA 4096</c> or <c>Ed25519</c>.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expires">When it expires; null if never.</param>
/// <param name="IsRevoked">Whether its primary key revoked it.</param>
/// <param name="Problem">Why it cannot sign images; null if it can.</param>
public sealed record OpenPgpSubkey(
    string Fingerprint, string Algorithm, DateTimeOffset Created, DateTimeOffset? Expires, bool IsRevoked, string? Problem);
