namespace Appc.Pods;

/// <summary>Something that happened to a pod, whichever process did it.</summary>
public sealed record PodEvent
{
    /// <summary>What happened.</summary>
    public required PodEventKind Kind { get; init; }

    /// <summary>UUID of the pod.</summary>
    public required string Uuid { get; init; }

    /// <summary>Name of the pod; null if it has none.</summary>
    public string? Name { get; init; }

    /// <summary>Name of the app that ended; null for events of the whole pod.</summary>
    public string? App { get; init; }

    /// <summary>When it happened, where the pod's files tell it; else when it was seen.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>
    /// For <see cref="PodEventKind.AppEnded"/> and <see cref="PodEventKind.Ended"/>: the exit code as a shell would report
    /// it, see <see cref="AppStatus.ShellExitCode"/> and <see cref="PodStatus.ExitCode"/>. Null for other events, and
    /// where it is not known.
    /// </summary>
    public int? ExitCode { get; init; }

    /// <summary>For <see cref="PodEventKind.AppEnded"/>: name of the signal that ended the app; null if none did.</summary>
    public string? Signal { get; init; }

    /// <summary>Whether it had happened before the subscription began (<see cref="PodEventOptions.Snapshot"/>).</summary>
    public bool FromSnapshot { get; init; }
}
