namespace Appc.Pods;

/// <summary>Where a pod is in its life. Derived at each look from its directory and its lock; nothing is cached.</summary>
public enum PodState
{
    /// <summary>Being prepared by a living process.</summary>
    Preparing,

    /// <summary>Its preparation was interrupted; garbage collection removes it.</summary>
    AbortedPrepare,

    /// <summary>Ready to run.</summary>
    Prepared,

    /// <summary>Its processes run, or are being started.</summary>
    Running,

    /// <summary>It has ended; its logs and exit statuses are there.</summary>
    Exited,

    /// <summary>It has ended and is marked for removal after a grace period.</summary>
    ExitedGarbage,

    /// <summary>It never ran and is marked for removal.</summary>
    Garbage,

    /// <summary>It is being removed.</summary>
    Deleting,

    /// <summary>It does not exist (any more).</summary>
    Gone,
}
