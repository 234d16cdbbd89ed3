namespace Appc.Pods;

/// <summary>How far one stream of an app was read.</summary>
/// <param name="App">Name of the app.</param>
/// <param name="Stream">The stream.</param>
/// <param name="Offset">How many bytes of it lie before the next one: read, skipped, or freed.</param>
public sealed record LogPosition(string App, LogStream Stream, long Offset);
