namespace Appc.Signing;

/// <summary>Whether one key would be accepted for a name, and why.</summary>
/// <param name="Fingerprint">Fingerprint of the primary key, in lower-case hex.</param>
/// <param name="UserId">The key's first user id; null if it has none or cannot be read.</param>
/// <param name="Accepted">Whether a signature by this key would be accepted today.</param>
/// <param name="Scope">The scope that decides; null if no scope of the key covers the name.</param>
/// <param name="Path">The file that decides; null if no scope of the key covers the name.</param>
/// <param name="Reason">Why, as a phrase.</param>
public sealed record KeyExplanation(string Fingerprint, string? UserId, bool Accepted, string? Scope, string? Path, string Reason);
