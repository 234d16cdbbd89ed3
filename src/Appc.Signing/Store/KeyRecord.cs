using Appc.Manifests;
using Appc.Trust;

namespace Appc.Signing.Store;

/// <summary>All that a keystore says about one primary key.</summary>
internal sealed class KeyRecord
{
    /// <param name="fingerprint">The key.</param>
    /// <param name="entries">Every entry of the key, in all directories.</param>
    public KeyRecord(string fingerprint, IEnumerable<KeystoreEntry> entries)
    {
        Fingerprint = fingerprint;
        All = [.. entries.OrderBy(e => e.Scope, StringComparer.Ordinal).ThenBy(e => e.DirectoryIndex)];

        // In one scope the first directory that mentions the key decides. A file that cannot be read decides as
        // well, as a mask would: it may have held a revocation, and what it hides may be what it was to replace.
        Effective = [.. All.DistinctBy(e => e.Scope)];
    }

    public string Fingerprint { get; }

    public IReadOnlyList<KeystoreEntry> All { get; }

    /// <summary>The entry that decides, for each scope that mentions the key.</summary>
    public IReadOnlyList<KeystoreEntry> Effective { get; }

    public IReadOnlyList<string> Scopes => Effective.Where(e => e.Certificate is not null).Select(e => e.Scope).ToArray();

    public IReadOnlyList<string> MaskedScopes => Effective.Where(e => e.Certificate is null).Select(e => e.Scope).ToArray();

    /// <summary>The entry that decides for a name: that of the most specific scope; null if no scope covers it.</summary>
    public KeystoreEntry? EntryFor(AcIdentifier name) =>
        Effective.Where(e => NameScope.Covers(e.Scope, name)).MaxBy(e => e.Scope.Length);
}
