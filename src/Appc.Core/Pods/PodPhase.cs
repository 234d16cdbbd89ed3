namespace Appc.Pods;

/// <summary>
/// The directory that a pod lies in. A pod moves from one to the next by rename, so that it is always in
/// exactly one; together with the pod's lock this is all the state there is.
/// </summary>
internal enum PodPhase
{
    Prepare,
    Prepared,
    Run,
    ExitedGarbage,
    Garbage,
}

/// <summary>Where a pod was found.</summary>
internal readonly record struct PodLocation(string Uuid, PodPhase Phase, string Directory);
