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
            if (Directory.Exists(location.Directory))
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
        Make(location, PodState.Exited, record, PodFiles.ReadFirstProcess(location.Directory), manifest);

    private static PodStatus ReadOnce(PodDirectories pods, PodLocation location)
    {
        PodRecord? record = PodFiles.TryReadRecord(location.Directory);
        (Stage1ProcessId Process, DateTimeOffset Started)? first = PodFiles.ReadFirstProcess(location.Directory);
        PodState state = StateOf(pods, location, first?.Process);
        if (first is null && state != PodState.Running)
        {
            // It may have started and ended between the two looks.
            first = PodFiles.ReadFirstProcess(location.Directory);
        }

        return Make(location, state, record, first, record is null ? null : PodFiles.TryReadManifest(location.Directory));
    }

    private static PodStatus Make(
        PodLocation location, PodState state, PodRecord? record, (Stage1ProcessId Process, DateTimeOffset Started)? first, PodManifest? manifest)
    {
        List<AppStatus> apps = manifest is null ? [] : ReadApps(location, manifest, state, first?.Started, record?.Mutable == true);
        if (location.Phase is PodPhase.ExitedGarbage or PodPhase.Garbage && apps.Exists(a => a.State == AppState.Unknown) && !PodFiles.HasManifest(location.Directory))
        {
            // It was removed meanwhile: how its apps ended is no longer there to be read.
            apps = [];
        }

        return new()
        {
            Uuid = location.Uuid,
            State = state,
            Name = record?.Name,
            Labels = record?.Labels ?? ReadOnlyDictionary<string, string>.Empty,
            Stage1 = record?.Stage1 ?? string.Empty,
            Created = record?.Created,
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
        bool locked = pods.IsLocked(location.Uuid);
        return location.Phase switch
        {
            PodPhase.Prepare => locked ? PodState.Preparing : PodState.AbortedPrepare,
            PodPhase.Prepared => PodState.Prepared,
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

    private static List<AppStatus> ReadApps(PodLocation location, PodManifest manifest, PodState state, DateTimeOffset? podStarted, bool mutable)
    {
        List<AppStatus> apps = new(manifest.Apps.Count);
        foreach (RuntimeApp app in manifest.Apps)
        {
            AppRestarts? restarts = RestartAnnotations.Find(app) is null ? null : AppRestarts.Read(location.Directory, app.Name);
            var ended = PodFiles.ReadStatus(location.Directory, app.Name);
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
                ImageId = app.Image.Id,
                State = ended is { } end ? (end.ExitCode is null && end.Signal is null ? AppState.Unknown : AppState.Exited)
                    : waits ? AppState.Prepared
                    : state == PodState.Running ? (restarts is { Running: false } ? AppState.Restarting : AppState.Running)
                    : state is PodState.Preparing or PodState.Prepared ? AppState.Prepared
                    : AppState.Unknown,
                Ready = started && (!Stage1App.Announces(app) || PodFiles.ReadReady(location.Directory, app.Name)),
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
