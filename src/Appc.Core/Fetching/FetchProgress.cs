namespace Appc.Fetching;

/// <summary>How far a fetch has come.</summary>
/// <param name="Phase">
/// What is being done: <c>discovering</c>, <c>signature</c>, <c>downloading</c>, <c>verifying</c>, <c>extracting</c>
/// or <c>publishing</c>.
/// </param>
/// <param name="Source">The URL or file.</param>
/// <param name="Bytes">Bytes done in this phase.</param>
/// <param name="TotalBytes">Bytes of this phase; null if not known.</param>
public sealed record FetchProgress(string Phase, string Source, long Bytes, long? TotalBytes)
{
    /// <summary>Bytes a second since the phase began; null while there is nothing to measure.</summary>
    public long? BytesPerSecond { get; init; }
}
