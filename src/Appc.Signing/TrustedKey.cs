namespace Appc.Signing;

/// <summary>An entry of the keystore: a key and what it is trusted for.</summary>
/// <param name="Fingerprint">Fingerprint of the primary key, in lower-case hex.</param>
/// <param name="Scope">The prefix of names, by whole path components; an empty string stands for every name.</param>
/// <param name="Path">The file that says so.</param>
/// <param name="Key">The key; null where the entry is a mask, an empty file that takes the trust of later directories away.</param>
public sealed record TrustedKey(string Fingerprint, string Scope, string Path, OpenPgpKey? Key)
{
    /// <summary>Whether the entry takes trust away instead of giving it.</summary>
    public bool IsMask => Key is null;
}
