namespace Appc.Signing;

/// <summary>What <see cref="Keystore.RemoveAsync"/> did.</summary>
/// <param name="Path">The file that was removed or written.</param>
/// <param name="Masked">
/// Whether a mask was written, because a directory that is not written to holds the key; false if the file was removed.
/// </param>
public sealed record KeyRemoval(string Path, bool Masked);
