namespace Appc.Pods;

/// <summary>Where an app of a pod is in its life.</summary>
public enum AppState
{
    /// <summary>Not started yet.</summary>
    Prepared,

    /// <summary>Running.</summary>
    Running,

    /// <summary>Ended.</summary>
    Exited,

    /// <summary>Ended, and how is not known: nobody was left to see it, or it was never started.</summary>
    Unknown,

    /// <summary>Ended, and about to be started again by its restart policy (<see cref="AppSpec.Restart"/>).</summary>
    Restarting,
}
