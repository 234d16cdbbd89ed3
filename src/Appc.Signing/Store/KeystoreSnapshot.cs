namespace Appc.Signing.Store;

/// <summary>What a keystore's directories held when they were read.</summary>
internal sealed class KeystoreSnapshot(IReadOnlyList<KeystoreEntry> entries, IReadOnlyList<KeystoreProblem> problems)
{
    public IReadOnlyList<KeyRecord> Records { get; } =
        [.. entries.GroupBy(e => e.Fingerprint, StringComparer.Ordinal).Select(g => new KeyRecord(g.Key, g)).OrderBy(r => r.Fingerprint, StringComparer.Ordinal)];

    public IReadOnlyList<KeystoreProblem> Problems { get; } = problems;
}
