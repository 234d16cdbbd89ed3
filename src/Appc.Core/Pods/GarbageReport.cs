namespace Appc.Pods;

/// <summary>What a garbage collection did.</summary>
public sealed record GarbageReport
{
    /// <summary>UUIDs of the pods that were removed.</summary>
    public IReadOnlyList<string> Removed { get; init; } = [];

    /// <summary>UUIDs of ended pods that are marked now and removed once the grace period is over.</summary>
    public IReadOnlyList<string> Marked { get; init; } = [];

    /// <summary>Every pod that something was done with, with what it freed or why it could not be collected.</summary>
    public IReadOnlyList<GarbagePod> Pods { get; init; } = [];

    /// <summary>Space on disk that was freed with the pods, in bytes, about.</summary>
    public long BytesFreed => Pods.Sum(p => p.BytesFreed);

    /// <summary>Control groups that were removed.</summary>
    public int ControlGroups { get; init; }

    /// <summary>Ranges of user ids that are free again, also those of pods that were gone before.</summary>
    public int IdRanges { get; init; }

    /// <summary>Mounts in directories of pods that were taken away. Pods leave none on the host; whoever entered one may.</summary>
    public int Mounts { get; init; }

    /// <summary>Names and locks of pods that were gone before.</summary>
    public int PodLeftovers { get; init; }

    /// <summary>Leftovers of interrupted imports and fetches that were removed.</summary>
    public int ImageLeftovers { get; init; }

    /// <summary>What could not be removed, and why: one line each.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];
}
