namespace Appc.Pods;

/// <summary>Whether a host can run pods, as it was at one look.</summary>
public sealed record RuntimeHealth
{
    /// <summary>Whether pods can be made here and at least one flavour can run them.</summary>
    public bool IsHealthy => Problems.Count == 0 && Stage1s.Any(s => s.IsUsable);

    /// <summary>The data directory.</summary>
    public required string Root { get; init; }

    /// <summary>Whether the data directory can be written.</summary>
    public required bool IsWritable { get; init; }

    /// <summary>Free space where the data directory lies, in bytes; null if it cannot be told.</summary>
    public long? FreeBytes { get; init; }

    /// <summary>The flavours, in the order in which they were registered.</summary>
    public IReadOnlyList<Stage1Health> Stage1s { get; init; } = [];

    /// <summary>What is wrong with the data directory, one line each; what a flavour lacks is told with it.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}
