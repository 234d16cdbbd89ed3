namespace Appc.Conformance.Tests.Pods;

/// <summary>A set of phases that a pod may be in when nobody is at work on it.</summary>
[Flags]
internal enum PodPhases
{
    None = 0,
    Gone = 1,
    Aborted = 2,
    Prepared = 4,
    Running = 8,
    Exited = 16,
    Marked = 32,
    Garbage = 64,
}
