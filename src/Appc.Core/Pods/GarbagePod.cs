namespace Appc.Pods;

/// <summary>What a garbage collection did with one pod.</summary>
public sealed record GarbagePod
{
    /// <summary>UUID of the pod.</summary>
    public required string Uuid { get; init; }

    /// <summary>Its name, which is free again if it was removed; null if it had none or that cannot be told.</summary>
    public string? Name { get; init; }

    /// <summary>What was done.</summary>
    public required GarbageAction Action { get; init; }

    /// <summary>Space on disk that its removal freed, in bytes, about.</summary>
    public long BytesFreed { get; init; }

    /// <summary>Why it could not be collected; null if it was.</summary>
    public string? Failure { get; init; }
}
