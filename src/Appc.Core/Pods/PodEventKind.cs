namespace Appc.Pods;

/// <summary>What happened to a pod, in the order in which it can happen; each at most once, but for the ends of its apps.</summary>
public enum PodEventKind
{
    /// <summary>Its preparation has begun.</summary>
    Created,

    /// <summary>It is prepared: all that it needs is on disk.</summary>
    Prepared,

    /// <summary>Its first process runs.</summary>
    Started,

    /// <summary>Every app that announces its readiness has done so. Other apps count from the start of the pod on.</summary>
    Ready,

    /// <summary>One of its apps has ended.</summary>
    AppEnded,

    /// <summary>It has ended, and how is recorded. Follows the ends of all its apps.</summary>
    Ended,

    /// <summary>It is removed. Follows any other: a pod that did not start is removed too.</summary>
    Removed,
}
