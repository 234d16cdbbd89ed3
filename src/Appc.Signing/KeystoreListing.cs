namespace Appc.Signing;

/// <summary>What a keystore holds.</summary>
/// <param name="Keys">The entries that count, by scope and fingerprint; masks among them.</param>
/// <param name="Problems">What was skipped.</param>
public sealed record KeystoreListing(IReadOnlyList<TrustedKey> Keys, IReadOnlyList<KeystoreProblem> Problems);
