namespace Appc.Pods;

/// <summary>What a garbage collection does with a pod.</summary>
public enum GarbageAction
{
    /// <summary>It is marked now, and is removed once the grace period is over.</summary>
    Marked,

    /// <summary>It was removed.</summary>
    Removed,

    /// <summary>It was to be marked or removed, and could not be; the next collection tries again.</summary>
    Failed,
}
