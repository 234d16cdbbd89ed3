namespace Appc.Signing;

/// <summary>A key that somebody offers. It is not trusted yet.</summary>
/// <param name="Key">The key. A person compares its fingerprint, then <see cref="Keystore.AddAsync(OpenPgpKey, Appc.Manifests.AcIdentifier?, CancellationToken)"/> trusts it.</param>
/// <param name="Source">The address that it came from.</param>
public sealed record OfferedKey(OpenPgpKey Key, string Source);
