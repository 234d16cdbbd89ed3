namespace Appc.Images;

/// <summary>How far an import has come.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Bytes">Compressed bytes done in this phase.</param>
/// <param name="TotalBytes">Compressed bytes of the archive.</param>
public sealed record ImportProgress(ImportPhase Phase, long Bytes, long TotalBytes);
