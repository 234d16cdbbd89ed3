using Appc.Manifests;

namespace Appc.Pods;

/// <summary>How an app of a pod is doing, or how it ended.</summary>
public sealed record AppStatus
{
    /// <summary>Name in the pod.</summary>
    public required AcName Name { get; init; }

    /// <summary>The image that it runs.</summary>
    public required ImageId ImageId { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required AppState State { get; init; }

    /// <summary>Whether it was started and, if it announces its readiness, has done so. Stays true when the app ends.</summary>
    public bool Ready { get; init; }

    /// <summary>Its exit code; null while it runs, when a signal ended it, or when the code is not known.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Name of the signal that ended it, such as <c>SIGKILL</c>; null if none did.</summary>
    public string? Signal { get; init; }

    /// <summary>How often it was started again by its restart policy.</summary>
    public int RestartCount { get; init; }

    /// <summary>Its exit code when it ended last, also while it runs again; null if it has not ended or has no code.</summary>
    public int? LastExitCode { get; init; }

    /// <summary>Name of the signal that ended it when it ended last, also while it runs again; null if none did.</summary>
    public string? LastSignal { get; init; }

    /// <summary>
    /// When it was started last, the first time with its pod; null if it was not, or if that is not known. An app that a connection starts may have
    /// begun later. In a mutable pod it is null when the app has ended.
    /// </summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>When it ended; null while it runs or if that is not known.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>Whether it ended by itself with exit code 0.</summary>
    public bool Succeeded => ExitCode == 0;

    /// <summary>The exit code as a shell would report it: the code, 128 + N for signal N, 255 if it is not known.</summary>
    public int ShellExitCode => ExitCode ?? (Signal is null ? 255 : 128 + SignalNumbers.Of(Signal));
}
