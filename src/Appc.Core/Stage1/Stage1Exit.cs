namespace Appc.Stage1;

/// <summary>How a process ended.</summary>
/// <param name="ExitCode">Its exit code; null if a signal ended it.</param>
/// <param name="Signal">Number of the signal that ended it; null if it exited.</param>
public sealed record Stage1Exit(int? ExitCode, int? Signal);
