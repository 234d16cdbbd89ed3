namespace Appc.Images;

/// <summary>One thing that is wrong with an archive.</summary>
/// <param name="Message">What is wrong; names the entry where there is one.</param>
/// <param name="Entry">The entry's name with odd bytes escaped; null for the archive as a whole, and where a header is too damaged to have a name.</param>
/// <param name="Offset">Offset of the entry's header in the uncompressed archive, in bytes; null for the archive as a whole: its compression, or something that it lacks.</param>
public sealed record AciFinding(string Message, string? Entry = null, long? Offset = null);
