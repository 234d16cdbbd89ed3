using Appc.Manifests;

namespace Appc.Trust;

/// <summary>A good signature, and what its key is trusted for.</summary>
/// <param name="Fingerprint">Fingerprint of the key or subkey that signed, in lower-case hex.</param>
/// <param name="PrimaryFingerprint">Fingerprint of the primary key, by which trust is given, in lower-case hex.</param>
/// <param name="UserId">The primary key's first user id, cleaned of control characters; null if it has none.</param>
/// <param name="Created">When the signature says that it was made.</param>
/// <param name="Algorithm">Public key and hash algorithm, such as <c>Ed25519/SHA512</c>.</param>
/// <param name="Scopes">The name prefixes that the key is trusted for; an empty string stands for every name.</param>
public sealed record SignatureSigner(
    string Fingerprint,
    string PrimaryFingerprint,
    string? UserId,
    DateTimeOffset Created,
    string Algorithm,
    IReadOnlyList<string> Scopes)
{
    /// <summary>Prefixes inside the scopes for which the keystore takes the trust away again.</summary>
    public IReadOnlyList<string> MaskedScopes { get; init; } = [];

    /// <summary>
    /// The longest scope that covers a name, by whole path components; null if none does, or if the trust is
    /// taken away for a longer prefix of the name.
    /// </summary>
    public string? ScopeFor(AcIdentifier name)
    {
        string? best = Longest(Scopes, name);
        return best is not null && Longest(MaskedScopes, name) is { } mask && mask.Length >= best.Length ? null : best;
    }

    private static string? Longest(IReadOnlyList<string> scopes, AcIdentifier name) =>
        scopes.Where(s => NameScope.Covers(s, name)).MaxBy(s => s.Length);
}

/// <summary>The good and trusted signatures over an image; never empty.</summary>
/// <param name="Signers">All acceptable signers.</param>
public sealed record SignatureVerdict(IReadOnlyList<SignatureSigner> Signers)
{
    /// <summary>The signer whose scope covers a name most specifically; null if none does.</summary>
    public SignatureSigner? SignerFor(AcIdentifier name) =>
        Signers.Where(s => s.ScopeFor(name) is not null).MaxBy(s => s.ScopeFor(name)!.Length);
}
