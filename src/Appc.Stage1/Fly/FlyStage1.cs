using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Exec;
using Appc.Stage1.Isolation;
using Appc.Stage1.Limits;
using Appc.Stage1.Volumes;
using Appc.Stage1.Streams;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Stage1.Fly;

/// <summary>
/// The fly flavour: one app, executed directly, in namespaces of its own for mounts, processes, host name and IPC.
/// Starts in about a millisecond and adds no process of its own. The network and the user ids are those of the host.
/// </summary>
/// <remarks>
/// The app is process 1 of its own process namespace, so nothing of the pod outlives it. A signal that it neither
/// handles nor blocks would not reach it there; <see cref="StopAsync"/> therefore kills such an app at once, which
/// is what the signal does to any other process.
/// </remarks>
public sealed partial class FlyStage1 : IStage1, IStage1Exec, IStage1Attach, IStage1Isolators, IStage1Layers, IStage1Collector, IDisposable
{
    private readonly ProcessReaper _reaper = new();
    private readonly ExecLauncher _commands = new();
    private readonly InputAttacher _inputs = new();
    private readonly FlyMounts _mounts = new();
    private readonly FlyKernel _kernel = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <summary>Creates the flavour.</summary>
    /// <param name="loggerFactory">Where to log; null for nowhere.</param>
    /// <param name="timeProvider">The clock of grace periods; null for the system's.</param>
    public FlyStage1(ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
    {
        _logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger<FlyStage1>();
        _time = timeProvider ?? TimeProvider.System;
    }

    internal SecurityModules Modules { get; init; } = new();

    /// <inheritdoc/>
    /// <value><c>fly</c>.</value>
    public string Name => "fly";

    /// <inheritdoc/>
    public Stage1Features Features { get; } = new()
    {
        SeveralApps = false,
        SocketActivation = true,
        EndsWithHost = true,
        UserNamespaces = false,
        EnforcedIsolators = (string[])
        [
            IsolatorNames.CapabilitiesRetainSet, IsolatorNames.CapabilitiesRemoveSet,
            IsolatorNames.NoNewPrivileges, IsolatorNames.OomScoreAdj, IsolatorNames.Sysctl,
            .. IsolatorReport.Resources, .. IsolatorReport.Labels,
        ],
    };

    /// <inheritdoc/>
    public Task<Stage1HostReport> ProbeAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(FlyHost.Probe());
    }

    /// <inheritdoc/>
    public IReadOnlyList<UnenforcedIsolator> FindUnenforced(PodManifest manifest, Stage1Options options, bool mutable = false)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(options);
        return IsolatorReport.Find(this, manifest, InEffect(options), mutable, Modules, () => LimitHost.Find());
    }

    /// <inheritdoc/>
    public Task<Stage1Process> StartAsync(Stage1Pod pod, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<Stage1Process>(cancellationToken);
        }

        try
        {
            return Task.FromResult(Start(pod));
        }
        catch (Exception e) when (e is AppcException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return Task.FromException<Stage1Process>(e as AppcException ?? new LaunchException("prepare", 0, $"pod {pod.Uuid}: {e.Message}", null, e));
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(Stage1Pod pod, Stage1ProcessId firstProcess, TimeSpan grace, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(firstProcess);
        using SafeFileHandle? process = Open(firstProcess);
        if (process is null)
        {
            return;
        }

        Task ended = _reaper.WaitAsync(firstProcess.Pid, firstProcess.StartTime, cancellationToken);
        TimeSpan own = pod.Apps[0].StopTimeout ?? (grace < TimeSpan.Zero ? StopAnnotations.DefaultTimeout : grace);
        grace = grace < TimeSpan.Zero || own < grace ? own : grace;
        int signal = pod.Apps[0].StopSignal;
        bool asked = grace != TimeSpan.Zero && Takes(firstProcess.Pid, signal);
        if (asked)
        {
            PidFd.Signal(process, signal);
            try
            {
                await ended.WaitAsync(grace, _time, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException)
            {
                _logger.GraceOver(pod.Uuid, grace.TotalSeconds);
            }
        }

        PidFd.Signal(process, LibC.SIGKILL);
        await ended.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<Stage1Exec> ExecAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, Stage1Command command, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(firstProcess);
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(command);
        string subject = $"pod {pod.Uuid}: a command in the app {app}";
        try
        {
            if (firstProcess.BootId.Length > 0 && firstProcess.BootId != ProcFs.BootId())
            {
                throw ExecTarget.Ended(subject);
            }

            Stage1App stage1App = pod.Apps.First(a => a.Name == app);
            using ImageTree tree = new(stage1App.Layers, subject);
            using ExecTarget target = ExecTarget.Open(firstProcess.Pid, firstProcess.StartTime, subject);
            return await _commands.StartAsync(FlyPlan.Describe(pod, stage1App, command, tree, subject, _kernel) with
            {
                Labels = new SecurityLabels(Modules, pod.Manifest).BeforeExecution(app),
            }, target, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new LaunchException("prepare", 0, $"{subject}: {e.Message}", null, e);
        }
    }

    /// <inheritdoc/>
    public async Task<Stage1Attachment?> AttachAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(firstProcess);
        ArgumentNullException.ThrowIfNull(app);
        try
        {
            return await new FlyAttach(_inputs, _reaper).AttachAsync(pod, firstProcess, pod.Apps.First(a => a.Name == app), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LaunchException("open the input", 0, $"pod {pod.Uuid}: {e.Message}", null, e);
        }
    }

    /// <inheritdoc/>
    /// <remarks>A fly pod has nothing outside its directory but control groups, and these only if it is limited: its mounts go with its last process.</remarks>
    public async Task CollectAsync(Stage1Pod pod, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        await _mounts.WaitAsync(pod).ConfigureAwait(false);
        await FlyLimits.RemoveAsync(pod, _time, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<Stage1Garbage> CollectGarbageAsync(Stage1Pod pod, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        int before = FlyLimits.CountGroups(pod);
        await CollectAsync(pod, cancellationToken).ConfigureAwait(false);
        return new Stage1Garbage { ControlGroups = before - FlyLimits.CountGroups(pod) };
    }

    /// <inheritdoc/>
    /// <remarks>A fly pod registers nothing.</remarks>
    public Task<Stage1Garbage> CollectOrphansAsync(string root, Func<string, bool> exists, CancellationToken cancellationToken = default) =>
        Task.FromResult(new Stage1Garbage());

    /// <summary>Accepts no more pods. Ends of those that run are still recorded.</summary>
    public void Dispose()
    {
        _reaper.Dispose();
        _commands.Dispose();
        _mounts.Wait();
    }

    private Stage1Process Start(Stage1Pod pod)
    {
        string subject = "pod " + pod.Uuid;
        if (pod.Apps.Count != 1)
        {
            throw new LaunchException(
                "prepare",
                0,
                string.Create(CultureInfo.InvariantCulture, $"{subject}: a fly pod runs exactly one app, not {pod.Apps.Count}"),
                "Use the nspawn flavour for pods of several apps.");
        }

        Stage1App app = pod.Apps[0];
        using ImageTree tree = ImageTree.Of(app, subject);
        FlyLimits limits = FlyLimits.Prepare(pod, subject);
        try
        {
            return Start(pod, app, limits, tree, subject);
        }
        catch
        {
            limits.Abandon();
            throw;
        }
    }

    private Stage1Process Start(Stage1Pod pod, Stage1App app, FlyLimits limits, ImageTree tree, string subject)
    {
        try
        {
            using FlySockets sockets = FlySockets.Hold(pod, subject);
            AppUser user = AppUser.Resolve(app.App, tree, subject);
            IReadOnlyList<AppMount> mounts = AppMounts.Of(pod, app, tree, FlyVolumes.Ids, subject);
            foreach (string path in AppMounts.Masked(mounts, tree))
            {
                _logger.VolumeMasks(app.Name.ToString(), pod.Uuid, path);
            }

            using FlyStreams streams = FlyStreams.Prepare(pod, user);
            using LifeGuard? guard = pod.Lifetime == PodLifetime.Host ? new LifeGuard(subject) : null;
            using LaunchPlan plan = FlyPlan.Build(
                pod, user, limits, sockets, streams, new SecurityLabels(Modules, pod.Manifest), subject, tree, mounts, _kernel, guard);
            Stage1Process started = FlyPlan.IsKept(pod) ? StartKept(pod, limits, sockets, streams, plan) : Start(pod, limits, streams, plan, guard);
            if (PodLogUpkeep.IsNeeded(pod.Options))
            {
                _ = FlyLogs.KeepAsync(pod, started.Ended, _time, _logger);
            }

            return started;
        }
        catch (LaunchException e) when (e.Errno == Errno.ENOMEM && limits.HintForMemory is { } hint)
        {
            throw new LaunchException(e.Step, e.Errno, e.Message, hint, e);
        }
        catch (LaunchException e)
        {
            throw FlyDiagnosis.Explain(e, app, tree, subject);
        }
    }

    private Stage1Process Start(Stage1Pod pod, FlyLimits limits, FlyStreams streams, LaunchPlan plan, LifeGuard? guard)
    {
        StatusFile status = StatusFile.Open(pod.StatusPath(pod.Apps[0].Name));
        SafeFileHandle? mounts = null;
        try
        {
            LaunchedProcess process = guard is null ? plan.Start() : guard.Start(plan);
            mounts = FlyMounts.TryHold(pod, process.Pid);
            Task<ProcessEnd> end = _reaper.Adopt(process, out long started);
            guard?.ReleaseAfter(end, _reaper);
            return new Stage1Process(new Stage1ProcessId(process.Pid, started, ProcFs.BootId()), RecordAsync(end, BeginLog(pod, streams, end), status, mounts, pod, limits));
        }
        catch
        {
            mounts?.Dispose();
            status.Dispose();
            throw;
        }
    }

    private Stage1Process StartKept(Stage1Pod pod, FlyLimits limits, FlySockets sockets, FlyStreams streams, LaunchPlan plan)
    {
        KeptProcess process = plan.StartKept(FlyKeeper.Passed(pod, sockets, streams));
        Task<ProcessEnd> recorded;
        Task ended;
        long started = 0;
        try
        {
            // Once the app has ended, its number is somebody else's: nothing has the start time 0.
            started = process.PidFd is null ? 0 : ProcFs.StartTime(process.Pid) ?? 0;
            ended = process.PidFd is null ? Task.CompletedTask : _reaper.WaitAsync(process.PidFd, isChild: false);
        }
        catch
        {
            PidFd.Signal(process.PidFd!, LibC.SIGKILL);
            process.PidFd!.Dispose();
            LaunchPlan.Reap(process.Keeper.PidFd);
            throw;
        }

        try
        {
            recorded = _reaper.Adopt(process.Keeper, out _);
        }
        catch
        {
            using SafeFileHandle? app = started == 0 ? null : PidFd.TryOpen(process.Pid, started);
            if (app is not null)
            {
                PidFd.Signal(app, LibC.SIGKILL);
            }

            throw;
        }

        return new Stage1Process(new Stage1ProcessId(process.Pid, started, ProcFs.BootId()), FollowAsync(recorded, ended, BeginLog(pod, streams, ended), pod, limits));
    }

    /// <inheritdoc/>
    public Stage1Layer LayerOf(Stage1Pod pod, AcName app)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(app);
        using ImageTree tree = ImageTree.Of(pod.Apps.First(a => a.Name == app), $"pod {pod.Uuid}");
        return new Stage1Layer(Path.Combine(pod.Directory, "stage1", "upper"), 0, NameFileSteps.PathsFor(InEffect(pod.Options), FlyPlan.HostNameOf(pod), tree));
    }

    /// <summary>A fly pod shares the host's network and its users, whatever is asked.</summary>
    internal static Stage1Options InEffect(Stage1Options options) => options with { HostNetwork = true, PrivateUsers = false };

    private static SafeFileHandle? Open(Stage1ProcessId id) =>
        id.BootId.Length > 0 && id.BootId != ProcFs.BootId() ? null : PidFd.TryOpen(id.Pid, id.StartTime);

    /// <summary>Whether a signal does anything to the first process of a process namespace.</summary>
    private static bool Takes(int pid, int signal)
    {
        ulong bit = 1UL << (signal - 1);
        return ((ProcFs.StatusBits(pid, "SigCgt") | ProcFs.StatusBits(pid, "SigIgn") | ProcFs.StatusBits(pid, "SigBlk")) & bit) is not (null or 0);
    }
}
