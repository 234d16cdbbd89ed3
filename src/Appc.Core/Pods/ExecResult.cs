namespace Appc.Pods;

/// <summary>How a command in an app ended.</summary>
public sealed record ExecResult
{
    /// <summary>Its exit code; 128 + N if signal N ended it, as shells say it.</summary>
    public required int ExitCode { get; init; }

    /// <summary>Number of the signal that ended it; null if it exited.</summary>
    public int? Signal { get; init; }

    /// <summary>What it wrote to its standard output, if that was collected.</summary>
    public string StandardOutput { get; init; } = string.Empty;

    /// <summary>What it wrote to its standard error, if that was collected.</summary>
    public string StandardError { get; init; } = string.Empty;
}
