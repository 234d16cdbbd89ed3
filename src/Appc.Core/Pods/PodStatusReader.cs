using System.Collections.ObjectModel;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Pods;

/// <summary>Tells a pod's status from its directory, its lock and its first process: nothing is remembered.</summary>
internal static class PodStatusReader
{
    /// <summary>The status of a pod wherever it is; <see cref="PodState.Gone"/> if it is nowhere.</summary>
    public static PodStatus Read(PodDirectories pods, string uuid) =>
        pods.Find(uuid) is { } location ? Read(pods, location) : new PodStatus { Uuid = uuid, State = PodState.Gone };

    public static PodStatus Read(PodDirectories pods, PodLocation location)
    {
        // A pod moves on while it is looked at: what was read counts only if the pod was still there afterwards.
        for (int look = 0; look < 4; look++)
        {
            PodStatus status = ReadOnce(pods, location);

            // A prepared pod of which both files were read was there when the second was.
            if ((status.State == PodState.Prepared && status.Apps.Count > 0) || Directory.Exists(location.Directory))
            {
                return status;
            }

            if (pods.Find(location.Uuid) is not { } moved)
            {
                break;
            }

            location = moved;
        }

        return new PodStatus { Uuid = location.Uuid, State = PodState.Gone };
    }

    /// <summary>The status of a pod whose end its own starter has just seen, so that nothing has to be asked again.</summary>
    public static PodStatus OfEnded(PodLocation location, PodManifest manifest, PodRecord record) =>
        Make(location, PodState.Exited, PodOutline.Of(record, manifest), PodFiles.ReadFirstProcess(location.Directory));

    private static PodStatus ReadOnce(PodDirectories pods, PodLocation location)
    {
        PodOutline outline = PodFiles.ReadOutline(location.Directory);
        (Stage1ProcessId Process, DateTimeOffset Started)? first = ReadFirst(location);
        PodState state = StateOf(pods, location, first?.Process);
        if (first is null && state != PodState.Running)
        {
            // It may have started and ended between the two looks.
            first = ReadFirst(location);
        }

        return Make(location, state, outline, first);
    }

    /// <summary>Its first process. A pod that was not run has none.</summary>
    private static (Stage1ProcessId Process, DateTimeOffset Started)? ReadFirst(PodLocation location) =>
        location.Phase is PodPhase.Prepare or PodPhase.Prepared ? null : PodFiles.ReadFirstProcess(location.Directory);

    private static PodStatus Make(PodLocation location, PodState state, PodOutline outline, (Stage1ProcessId Process, DateTimeOffset Started)? first)
    {
        List<AppStatus> apps = ReadApps(location, outline, state, first?.Started);
        if (location.Phase is PodPhase.ExitedGarbage or PodPhase.Garbage && apps.Exists(a => a.State == AppState.Unknown) && !PodFiles.HasManifest(location.Directory))
        {
            // It was removed meanwhile: how its apps ended is no longer there to be read.
            apps = [];
        }

        return new()
        {
            Uuid = location.Uuid,
            State = state,
            Name = outline.Name,
            Labels = outline.Labels ?? ReadOnlyDictionary<string, string>.Empty,
            Stage1 = outline.Stage1,
            Created = outline.Created,
            Started = first?.Started,
            Finished = state == PodState.Running ? null : apps.Max(a => a.Finished),
            Pid = state == PodState.Running && first?.Process.Pid is > 0 and int pid ? pid : null,
            Apps = apps,
        };
    }

    /// <summary>What a pod is doing, without its apps.</summary>
    public static PodState StateOf(PodDirectories pods, PodLocation location) =>
        StateOf(pods, location, PodFiles.ReadFirstProcess(location.Directory)?.Process);

    /// <summary>
    /// A pod runs while its lock is held or one of its recorded processes lives: the lock alone is not enough,
    /// since a supervisor that was killed takes the lock with it a moment before the pod's other processes end.
    /// </summary>
    private static PodState StateOf(PodDirectories pods, PodLocation location, Stage1ProcessId? first)
    {
        if (location.Phase == PodPhase.Prepared)
        {
            return PodState.Prepared;
        }

        bool locked = pods.IsLocked(location.Uuid);
        return location.Phase switch
        {
            PodPhase.Prepare => locked ? PodState.Preparing : PodState.AbortedPrepare,
            PodPhase.Run => locked || IsAlive(first) || IsAlive(PodFiles.ReadLeader(location.Directory)) ? PodState.Running : PodState.Exited,
            PodPhase.ExitedGarbage => locked ? PodState.Deleting : PodState.ExitedGarbage,
            _ => locked ? PodState.Deleting : PodState.Garbage,
        };
    }

    /// <summary>Whether a recorded process of a pod lives. One that is being started has none yet.</summary>
    public static bool HasLivingProcess(PodLocation location) =>
        PodFiles.ReadFirstProcess(location.Directory)?.Process is { } first
            && (IsAlive(first) || IsAlive(PodFiles.ReadLeader(location.Directory)));

    private static bool IsAlive(Stage1ProcessId? process) => process is not null && ProcessIdentity.IsAlive(process);

    private static List<AppStatus> ReadApps(PodLocation location, PodOutline outline, PodState state, DateTimeOffset? podStarted)
    {
        bool mutable = outline.Mutable;
        List<AppStatus> apps = new(outline.Apps.Count);
        foreach (PodOutlineApp app in outline.Apps)
        {
            AppRestarts? restarts = app.Restarts ? AppRestarts.Read(location.Directory, app.Name) : null;
            var ended = state is PodState.Preparing or PodState.AbortedPrepare or PodState.Prepared ? null : PodFiles.ReadStatus(location.Directory, app.Name);
            if (ended is null && state != PodState.Running && restarts is { Running: false, LastLine: not null })
            {
                // It waited to be started again when its pod ended.
                ended = (restarts.LastExitCode, restarts.LastSignal, restarts.Changed);
            }

            // Where apps start and stop by themselves, the pod leaves an empty file when it begins one.
            DateTimeOffset? begun = mutable ? PodFiles.ReadBegun(location.Directory, app.Name) : null;
            bool waits = mutable && begun is null;
            bool started = ended is not null || (state == PodState.Running && !waits);
            apps.Add(new AppStatus
            {
                Name = app.Name,
                ImageId = app.ImageId,
                State = ended is { } end ? (end.ExitCode is null && end.Signal is null ? AppState.Unknown : AppState.Exited)
                    : waits ? AppState.Prepared
                    : state == PodState.Running ? (restarts is { Running: false } ? AppState.Restarting : AppState.Running)
                    : state is PodState.Preparing or PodState.Prepared ? AppState.Prepared
                    : AppState.Unknown,
                Ready = started && (!app.Announces || PodFiles.ReadReady(location.Directory, app.Name)),
                ExitCode = ended?.ExitCode,
                Signal = ended?.Signal,
                Started = !started ? null
                    : mutable ? (ended is null ? begun : null)
                    : restarts is { Running: true, Count: > 0 } && ended is null ? restarts.Changed : podStarted,
                Finished = ended?.Finished,
                RestartCount = restarts?.Count ?? 0,
                LastExitCode = restarts is null ? ended?.ExitCode : restarts.LastExitCode,
                LastSignal = restarts is null ? ended?.Signal : restarts.LastSignal,
            });
        }

        return apps;
    }
}
