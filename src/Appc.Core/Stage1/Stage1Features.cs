namespace Appc.Stage1;

/// <summary>What a flavour is able to do.</summary>
public sealed record Stage1Features
{
    /// <summary>Whether a pod may hold more than one app.</summary>
    public bool SeveralApps { get; init; }

    /// <summary>Whether the pod's processes run in a user namespace by default.</summary>
    public bool UserNamespaces { get; init; }

    /// <summary>
    /// Whether the flavour stacks image trees itself from <see cref="Stage1App.Layers"/>; a flavour that runs
    /// nothing does not need trees at all.
    /// </summary>
    public bool NeedsTrees { get; init; } = true;

    /// <summary>
    /// Whether the first process inherits the pod's lock and keeps it for its life, so that the pod lives on without the
    /// program that started it.
    /// </summary>
    public bool InheritsLock { get; init; } = true;

    /// <summary>Whether pods can be made to end with the program that starts them (<see cref="PodLifetime.Host"/>).</summary>
    public bool EndsWithHost { get; init; }

    /// <summary>Whether apps can be added to and removed from running pods (<see cref="IStage1Apps"/>).</summary>
    public bool MutablePods { get; init; }

    /// <summary>Whether apps can announce when they are ready (<see cref="Stage1App.AnnouncesReadiness"/>).</summary>
    public bool Readiness { get; init; }

    /// <summary>Whether pods have a network of their own, unless they are asked to use the host's (<see cref="Stage1Options.HostNetwork"/>).</summary>
    public bool OwnNetwork { get; init; }

    /// <summary>Whether apps are started again when they have ended (<see cref="Pods.AppSpec.Restart"/>).</summary>
    public bool Restarts { get; init; }

    /// <summary>Whether apps can be handed listening sockets (<see cref="Stage1Pod.Sockets"/>).</summary>
    public bool SocketActivation { get; init; }

    /// <summary>
    /// Names of the isolators that this flavour enforces; where it implements <see cref="IStage1Isolators"/>, on hosts
    /// that have what is needed for it.
    /// </summary>
    public IReadOnlyList<string> EnforcedIsolators { get; init; } = [];
}
