using System.Collections.ObjectModel;

namespace Appc.Pods;

/// <summary>A pod as it was at one look.</summary>
public sealed record PodStatus
{
    /// <summary>The pod's UUID.</summary>
    public required string Uuid { get; init; }

    /// <summary>Its name; null if it has none.</summary>
    public string? Name { get; init; }

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Where it is in its life.</summary>
    public required PodState State { get; init; }

    /// <summary>Name of the stage1 flavour; empty if the pod's directory cannot tell.</summary>
    public string Stage1 { get; init; } = string.Empty;

    /// <summary>When it was prepared; null if its preparation did not come that far.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>When its first process was started; null if none was.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>When its last app ended; null while it runs or if that is not known.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>Process id of the pod's first process, as this process numbers it; null unless it runs.</summary>
    public int? Pid { get; init; }

    /// <summary>Its apps, in the order of the manifest; none of a pod that is half prepared or half removed.</summary>
    public IReadOnlyList<AppStatus> Apps { get; init; } = [];

    /// <summary>
    /// Whether the pod runs and every app that announces its readiness has done so. Other apps count from their start on,
    /// and those of a mutable pod that were not started do not count.
    /// </summary>
    public bool Ready => State == PodState.Running && Started is not null && Apps.All(a => a.Ready || a.State == AppState.Prepared);

    /// <summary>Whether the pod has ended.</summary>
    public bool HasEnded => State is PodState.Exited or PodState.ExitedGarbage or PodState.Deleting or PodState.Gone;

    /// <summary>
    /// The pod's exit code as a shell would report it: that of the first app (by time) that failed, else 0;
    /// 128 + N where signal N ended it, 255 where it is not known. Null while the pod has not ended, and when it is gone or half removed.
    /// </summary>
    public int? ExitCode =>
        !HasEnded || Apps.Count == 0 ? null
        : Apps.Where(a => !a.Succeeded && a.State != AppState.Prepared).OrderBy(a => a.Finished ?? DateTimeOffset.MaxValue).Select(a => (int?)a.ShellExitCode).FirstOrDefault() ?? 0;
}
