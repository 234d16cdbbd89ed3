namespace Appc.Pods;

/// <summary>What a garbage collection did.</summary>
public sealed record GarbageReport
{
    /// <summary>UUIDs of the pods that were removed.</summary>
    public IReadOnlyList<string> Removed { get; init; } = [];

    /// <summary>UUIDs of ended pods that are marked now and removed once the grace period is over.</summary>
    public IReadOnlyList<string> Marked { get; init; } = [];

    /// <summary>Leftovers of interrupted imports and fetches that were removed.</summary>
    public int ImageLeftovers { get; init; }

    /// <summary>What could not be removed, and why: one line each.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];
}
