using System.Collections.Concurrent;
using System.Diagnostics;
using Appc.Diagnostics;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>A pod that this process has started, and its end.</summary>
internal sealed record RunningPod(string Uuid, Task<PodStatus> End);

/// <summary>Starts pods, waits for their end and stops them.</summary>
internal sealed partial class PodSupervisor(
    PodDirectories pods, Func<string, IStage1?> findStage1, PodTrust trust, ProcessWatcher watcher, PodWatch watch, ILogger logger)
{
    // Ends of the running pods that this runtime started. A short cut only: for all others the kernel is asked.
    private readonly ConcurrentDictionary<string, Task<PodStatus>> _ends = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _suitable = new(StringComparer.Ordinal);
    private readonly Lazy<Stage1ProcessId?> _self = new(() => OperatingSystem.IsLinux() ? ProcessIdentity.Of(Environment.ProcessId) : null);

    /// <summary>Removes an ended pod; set by the runtime.</summary>
    public Func<string, CancellationToken, Task> Remove { get; set; } = static (_, _) => Task.CompletedTask;

    /// <summary>Refuses, before anything is written, what this host cannot run.</summary>
    public async Task RequireSuitableHostAsync(IStage1 stage1, CancellationToken cancellationToken)
    {
        if (_suitable.ContainsKey(stage1.Name))
        {
            return;
        }

        Stage1HostReport report = await stage1.ProbeAsync(cancellationToken).ConfigureAwait(false);
        if (report.Problem is not null)
        {
            throw new PodException(PodFailure.HostUnsuitable, $"this host cannot run pods with the stage1 flavour {stage1.Name}: {report.Problem}", report.Hint);
        }

        _suitable[stage1.Name] = true;
    }

    /// <summary>Refuses, before anything is written, a pod that must have the metadata service where there is none.</summary>
    public Task RequireMetadataAsync(string subject, Stage1Options options, IStage1 stage1, CancellationToken cancellationToken) =>
        options.Metadata == MetadataMode.Required ? PodMetadata.FindAsync(pods.Root, subject, options, stage1.Features, cancellationToken) : Task.CompletedTask;

    /// <summary>Starts a prepared pod; the result holds its end.</summary>
    /// <param name="location">The pod.</param>
    /// <param name="options">What is said only now.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public async Task<RunningPod> StartPreparedAsync(PodLocation location, RunPreparedOptions options, CancellationToken cancellationToken)
    {
        PodRecord? record = PodFiles.ReadRecord(location.Directory);
        if (location.Phase != PodPhase.Prepared || record is null)
        {
            throw WrongState(location.Uuid, "is not prepared");
        }

        IStage1 stage1 = Stage1Of(location.Uuid, record);
        await RequireSuitableHostAsync(stage1, cancellationToken).ConfigureAwait(false);
        LockFile mine = await pods.TryLockAsync(location.Uuid, create: true, cancellationToken).ConfigureAwait(false)
            ?? throw WrongState(location.Uuid, "is being started or removed by somebody else");
        PodManifest manifest;
        try
        {
            if (!Directory.Exists(location.Directory))
            {
                throw WrongState(location.Uuid, "is no longer prepared");
            }

            // Keys may have gone since it was prepared. A pod that is refused stays prepared.
            await trust.RequireAsync(
                location.Uuid, record.Apps.SelectMany(a => a.ImageIds).Select(ImageId.Parse), options.Trust ?? record.Trust, cancellationToken).ConfigureAwait(false);
            manifest = PodFiles.ReadManifest(location.Directory);
            PodSockets.Require(location.Uuid, options.Sockets, manifest.Apps, stage1);
            await RequireMetadataAsync($"the pod {location.Uuid}", record.Options, stage1, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            mine.Dispose();
            throw;
        }

        IReadOnlyList<Stage1Socket> sockets = PodSockets.Assign(options.Sockets, manifest);
        return await StartAsync(stage1, new PodFactory.Embryo(location, mine, manifest, record), sockets, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Starts a pod whose lock the caller hands over; the result holds its end.</summary>
    public async Task<RunningPod> StartAsync(IStage1 stage1, PodFactory.Embryo embryo, IReadOnlyList<Stage1Socket> sockets, CancellationToken cancellationToken)
    {
        long begin = Stopwatch.GetTimestamp();
        string uuid = embryo.Location.Uuid;
        using Activity? activity = AppcTelemetry.Activities.StartActivity("appc.pod.start");
        activity?.SetTag("appc.pod.uuid", uuid).SetTag("appc.stage1", stage1.Name);

        bool moved;
        try
        {
            moved = pods.Move(embryo.Location, PodPhase.Run);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            embryo.Lock.Dispose();
            if (embryo.Location.Phase == PodPhase.Prepare)
            {
                await DiscardAsync(uuid).ConfigureAwait(false);
            }

            throw;
        }

        if (!moved)
        {
            embryo.Lock.Dispose();
            throw WrongState(uuid, "is no longer prepared");
        }

        PodLocation running = Ran(embryo);
        Stage1Pod pod = PodDescription.Make(pods.Root, running, embryo.Manifest, embryo.Record) with
        {
            LockDescriptor = embryo.Lock.Descriptor,
            Lifetime = embryo.Record.Lifetime,
            Sockets = sockets,
        };
        Stage1Process? process = null;
        try
        {
            if (await PodMetadata.FindAsync(pods.Root, $"the pod {uuid}", pod.Options, stage1.Features, cancellationToken).ConfigureAwait(false) is { } metadata)
            {
                PodMetadata.Write(running.Directory, metadata);
                pod = pod with { MetadataUrl = metadata.Url };
            }

            process = await stage1.StartAsync(pod, cancellationToken).ConfigureAwait(false);
            PodFiles.WriteFirstProcess(running.Directory, process.Id, _self.Value);
        }
        catch (Exception e)
        {
            logger.StartFailed(uuid, e);
            activity.Fail(e);
            AppcTelemetry.PodStartFailures.Add(1, new KeyValuePair<string, object?>("appc.stage1", stage1.Name));
            if (process is not null)
            {
                // It runs, but nobody could find it again: a full disk.
                await stage1.StopAsync(pod, process.Id, TimeSpan.Zero, CancellationToken.None).ConfigureAwait(false);
                await process.Ended.ConfigureAwait(false);
            }

            embryo.Lock.Dispose();
            await DiscardAsync(uuid).ConfigureAwait(false);
            if (e is IOException)
            {
                throw new PodException(PodFailure.Storage, $"the pod {uuid} could not be started: {e.Message}", "check free space of the data directory", e);
            }

            throw;
        }

        // The lock stays here, too, until the end is recorded: a pod whose lock is free has all of its statuses, unless
        // this program was killed.
        logger.Started(uuid, process.Id.Pid);
        AppcTelemetry.PodsStarted.Add(1, new KeyValuePair<string, object?>("appc.stage1", stage1.Name));
        AppcTelemetry.PodsRunning.Add(1, new KeyValuePair<string, object?>("appc.stage1", stage1.Name));
        AppcTelemetry.PodStart.Record(Stopwatch.GetElapsedTime(begin).TotalSeconds, new KeyValuePair<string, object?>("appc.stage1", stage1.Name));

        // The end takes itself out of the table, so it must not begin before it is in there.
        var entered = new TaskCompletionSource();
        Task<PodStatus> end = FinishAsync(stage1, embryo, process, entered.Task);
        _ends[uuid] = end;
        entered.SetResult();
        return new RunningPod(uuid, end);
    }

    public PodStatus Look(string uuid) => PodStatusReader.Read(pods, uuid);

    public async Task<PodExec> ExecAsync(string uuid, string? app, IReadOnlyList<string> command, ExecOptions options, CancellationToken cancellationToken)
    {
        PodLocation location = RequireRunning(uuid);
        (IStage1 flavour, Stage1Pod pod) = Describe(location);
        IStage1Exec stage1 = flavour as IStage1Exec
            ?? throw new PodException(PodFailure.HostUnsuitable, $"the stage1 flavour {flavour.Name} of the pod {uuid} runs no commands");
        Stage1Command inside = new()
        {
            Arguments = command,
            Environment = options.Environment,
            WorkingDirectory = options.WorkingDirectory,
            AsRoot = options.AsRoot,
            Terminal = options.Terminal,
        };
        using Activity? activity = AppcTelemetry.Activities.StartActivity("appc.pod.exec");
        AcName name = FindApp(pod, app).Name;
        activity?.SetTag("appc.pod.uuid", uuid).SetTag("appc.app", name.ToString());
        return new PodExec(await stage1.ExecAsync(pod, FirstProcessOf(location), name, inside, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The app of a name; without one, the only app.</summary>
    public static Stage1App FindApp(Stage1Pod pod, string? app)
    {
        string names = string.Join(", ", pod.Apps.Select(a => a.Name));
        return app is null
            ? pod.Apps.Count == 1
                ? pod.Apps[0]
                : throw new PodException(PodFailure.Ambiguous, $"the pod {pod.Uuid} has several apps", $"name one of them: {names}")
            : pod.Apps.FirstOrDefault(a => a.Name.ToString() == app)
                ?? throw new PodException(PodFailure.NotFound, $"the pod {pod.Uuid} has no app {PodDirectories.Shown(app)}", pod.Apps.Count == 0 ? "it has none at all" : $"its apps are: {names}");
    }

    /// <summary>
    /// The process to stop. Where the host was killed between the start and its record, the one that holds the
    /// pod's lock is it.
    /// </summary>
    public Stage1ProcessId FirstProcessOf(PodLocation location) =>
        PodFiles.ReadFirstProcess(location.Directory)?.Process
        ?? ProcessIdentity.FindHolder(pods.LockPathOf(location.Uuid))
        ?? PodFiles.ReadLeader(location.Directory)
        ?? throw WrongState(location.Uuid, "is being started by somebody else");

    /// <exception cref="PodException">The pod does not run.</exception>
    public PodLocation RequireRunning(string uuid) => FindRunning(uuid) ?? throw NotRunning(uuid);

    public static PodException NotRunning(string uuid) => WrongState(uuid, "does not run");

    /// <summary>The record of a pod that was started.</summary>
    /// <exception cref="PodException">There is none.</exception>
    public static PodRecord RequireRecord(PodLocation location) =>
        PodFiles.ReadRecord(location.Directory) ?? throw WrongState(location.Uuid, "has no record of how it was started");

    private PodLocation? FindRunning(string uuid) =>
        pods.Find(uuid) is { Phase: PodPhase.Run } location && Look(uuid).State == PodState.Running ? location : null;

    /// <summary>A started pod, and the flavour that it runs under.</summary>
    /// <exception cref="PodException">It does not run any more.</exception>
    public (IStage1 Stage1, Stage1Pod Pod) Describe(PodLocation location) => TryDescribe(location) ?? throw NotRunning(location.Uuid);

    private (IStage1 Stage1, Stage1Pod Pod)? TryDescribe(PodLocation location)
    {
        try
        {
            for (int look = 0; ; look++)
            {
                // Of an app that comes or goes the record knows as long as the manifest does, but they are two files.
                PodManifest manifest = PodFiles.ReadManifest(location.Directory);
                PodRecord record = RequireRecord(location);
                if (look == 4 || manifest.Apps.All(m => record.Apps.Any(r => r.Name == m.Name.ToString())))
                {
                    return (Stage1Of(location.Uuid, record), PodDescription.MakeStarted(pods.Root, location, manifest, record));
                }
            }
        }
        catch (Exception e) when ((e is IOException or PodException) && !Directory.Exists(location.Directory))
        {
            // It has ended and was removed since it was found.
            return null;
        }
    }

    public IStage1 Stage1Of(string uuid, PodRecord record) =>
        findStage1(record.Stage1) ?? throw new PodException(
            PodFailure.HostUnsuitable, $"the pod {uuid} needs the stage1 flavour {record.Stage1}, which is not registered", "register it on the builder");

    private static PodException WrongState(string uuid, string what) => new(PodFailure.WrongState, $"the pod {uuid} {what}");
}
