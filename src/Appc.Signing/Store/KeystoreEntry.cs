using Appc.Signing.Packets;

namespace Appc.Signing.Store;

/// <summary>A file of the keystore whose place and name make it an entry.</summary>
/// <param name="Scope">The scope that its directory stands for.</param>
/// <param name="Fingerprint">Its name.</param>
/// <param name="Path">Where it is.</param>
/// <param name="DirectoryIndex">Which of the keystore's directories holds it; 0 is the most important one.</param>
/// <param name="Certificate">The key in it; null if the file is empty or cannot be read.</param>
/// <param name="Problem">Why it cannot be read; null if it can, or is empty.</param>
internal sealed record KeystoreEntry(
    string Scope, string Fingerprint, string Path, int DirectoryIndex, Certificate? Certificate, string? Problem);
