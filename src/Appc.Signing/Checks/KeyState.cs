namespace Appc.Signing.Checks;

/// <summary>What a key or subkey may do, after everything that speaks about it was verified.</summary>
/// <param name="Problem">Why it cannot sign images now; null if it can.</param>
/// <param name="Expires">When it expires; null if never, or if nothing valid says so.</param>
/// <param name="Revocation">Its revocation, if it is revoked.</param>
internal sealed record KeyState(string? Problem, DateTimeOffset? Expires, Revocation? Revocation);
