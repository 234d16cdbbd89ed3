using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Exec;
using Appc.Stage1.Isolation;
using Appc.Stage1.Limits;
using Appc.Stage1.Streams;
using Appc.Stage1.Volumes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// The nspawn flavour: pods of any number of apps, with the host's own systemd as process manager, in namespaces of
/// their own for users, processes, mounts, network, IPC, host name and control groups, inside systemd-nspawn.
/// </summary>
/// <remarks>
/// Nothing is installed or left running on the host. The pod's processes are descendants of this process and live
/// in a control group below its own; systemd-nspawn inherits the pod's lock.
/// </remarks>
public sealed partial class NspawnStage1 : IStage1, IStage1Exec, IStage1Apps, IStage1Attach, IStage1Isolators, IStage1Layers, IStage1Collector, IDisposable
{
    private readonly NspawnOptions _options;
    private readonly NspawnHost _host;
    private readonly ProcessReaper _reaper = new();
    private readonly ExecLauncher _commands = new();
    private readonly InputAttacher _inputs = new();
    private readonly Dictionary<string, Stage1Tree> _trees = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly ILogger _logger;
    private readonly TimeProvider _time;

    /// <summary>Creates the flavour.</summary>
    /// <param name="options">Options; null for the defaults.</param>
    /// <param name="loggerFactory">Where to log; null for nowhere.</param>
    /// <param name="timeProvider">The clock of grace periods; null for the system's.</param>
    public NspawnStage1(NspawnOptions? options = null, ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
    {
        _options = options ?? new NspawnOptions();
        _host = new NspawnHost(_options);
        _logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger<NspawnStage1>();
        _time = timeProvider ?? TimeProvider.System;
    }

    internal SecurityModules Modules { get; init; } = new();

    /// <summary>Where the host's systemd is asked for scopes; null for the system's bus.</summary>
    internal string? BusAddress { get; init; }

    /// <inheritdoc/>
    /// <value><c>nspawn</c>.</value>
    public string Name => "nspawn";

    /// <inheritdoc/>
    public Stage1Features Features { get; } = new()
    {
        SeveralApps = true,
        EndsWithHost = true,
        UserNamespaces = true,
        MutablePods = true,
        Readiness = true,
        Restarts = true,
        SocketActivation = true,
        OwnNetwork = true,
        EnforcedIsolators = (string[])
        [
            IsolatorNames.CapabilitiesRetainSet, IsolatorNames.CapabilitiesRemoveSet, IsolatorNames.NoNewPrivileges,
            IsolatorNames.OomScoreAdj, IsolatorNames.SeccompRetainSet, IsolatorNames.SeccompRemoveSet, IsolatorNames.Sysctl,
            .. IsolatorReport.Resources, .. IsolatorReport.Labels,
        ],
    };

    /// <inheritdoc/>
    public Task<Stage1HostReport> ProbeAsync(CancellationToken cancellationToken = default) => _host.ProbeAsync(cancellationToken);

    /// <inheritdoc/>
    public IReadOnlyList<UnenforcedIsolator> FindUnenforced(PodManifest manifest, Stage1Options options, bool mutable = false)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(options);
        return IsolatorReport.Find(
            this, manifest, options, mutable, Modules, () => LimitHost.Find(_options.HasScopes ? PodCGroup.FindHierarchy()?.MountPoint : null));
    }

    /// <inheritdoc/>
    public async Task<Stage1Process> StartAsync(Stage1Pod pod, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        cancellationToken.ThrowIfCancellationRequested();
        string subject = "pod " + pod.Uuid;
        string nspawn = _host.Nspawn
            ?? throw new LaunchException("find systemd-nspawn", 0, $"{subject}: systemd-nspawn was not found", "Install it: apt-get install systemd-container");
        if (pod.Apps.Count == 0 && !pod.Mutable)
        {
            throw new LaunchException("prepare", 0, $"{subject}: the pod has no app");
        }

        try
        {
            using HeldTree tree = await TreeOf(pod.Root).HoldAsync(cancellationToken).ConfigureAwait(false);
            return await StartAsync(pod, nspawn, tree, subject, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LaunchException("prepare", 0, $"{subject}: {e.Message}", null, e);
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(Stage1Pod pod, Stage1ProcessId firstProcess, TimeSpan grace, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(firstProcess);
        return new NspawnEnd(pod, _reaper, _logger, _time).StopAsync(firstProcess, grace, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<Stage1Exec> ExecAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, Stage1Command command, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(command);
        try
        {
            using HeldTree tree = await TreeOf(pod.Root).HoldAsync(cancellationToken).ConfigureAwait(false);
            NspawnExec exec = new(pod, app, command, tree, new SecurityLabels(Modules, pod.Manifest));
            using ExecTarget target = await exec.FindTargetAsync(_time, cancellationToken).ConfigureAwait(false);
            return await _commands.StartAsync(exec.Describe(), target, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new LaunchException("prepare", 0, $"pod {pod.Uuid}: {e.Message}", null, e);
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
            return await new NspawnAttach(_inputs, _time).AttachAsync(pod, firstProcess, pod.Apps.First(a => a.Name == app), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LaunchException("open the input", 0, $"pod {pod.Uuid}: {e.Message}", null, e);
        }
    }

    /// <inheritdoc/>
    public Task CollectAsync(Stage1Pod pod, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return new NspawnEnd(pod, _reaper, _logger, _time).CleanUpAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Stage1Garbage> CollectGarbageAsync(Stage1Pod pod, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return new NspawnEnd(pod, _reaper, _logger, _time).CleanUpAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Stage1Garbage> CollectOrphansAsync(string root, Func<string, bool> exists, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(exists);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(new Stage1Garbage { IdRanges = new IdRanges(root).FreeAll(owner => !exists(owner)) });
    }

    /// <summary>Accepts no more pods. Those that run go on, and their ends are still recorded.</summary>
    public void Dispose()
    {
        _reaper.Dispose();
        _commands.Dispose();
        lock (_gate)
        {
            foreach (Stage1Tree tree in _trees.Values)
            {
                tree.Dispose();
            }

            _trees.Clear();
        }
    }

    private Stage1Tree TreeOf(string root)
    {
        lock (_gate)
        {
            if (!_trees.TryGetValue(root, out Stage1Tree? tree))
            {
                _trees[root] = tree = new Stage1Tree(root, _host);
            }

            return tree;
        }
    }

    private async Task<Stage1Process> StartAsync(Stage1Pod pod, string nspawn, HeldTree tree, string subject, CancellationToken cancellationToken)
    {
        NspawnEnd end = new(pod, _reaper, _logger, _time);
        List<ImageTree> images = [];
        try
        {
            List<(NspawnApp App, ImageTree Image)> apps = [];
            SecurityLabels labels = new(Modules, pod.Manifest);
            foreach (Stage1App app in pod.Apps)
            {
                images.Add(ImageTree.Of(app, subject));
                apps.Add((NspawnApp.Resolve(pod, app, images[^1], subject).WithMounts(pod, images[^1], subject) with { MaxProcesses = _options.MaxProcesses, AppArmorProfile = labels.ProfileOf(app.Name) }, images[^1]));
            }

            Report(pod, apps);
            NspawnHostServices host = NspawnHostServices.From(_options, subject);
            using NspawnSockets sockets = NspawnSockets.Hold(pod, subject);
            (string hierarchy, string own) = PodCGroup.FindOwn(subject);
            using PodScope? scope = _options.HasScopes ? await MakeScopeAsync(pod, subject, cancellationToken).ConfigureAwait(false) : null;
            PodLimits limits = PodLimits.Decide(pod, subject, scope is null ? null : LimitHost.Find(scope.Group));
            string group = $"{limits.Parent ?? scope?.Group ?? own}/{PodCGroup.NameOf(pod.Uuid)}";
            PodFilesWriter writer = new(pod);
            writer.MakeDirectories();
            PodPaths.WriteText(end.Paths.CGroup, group);
            using IdMap ids = MapIds(pod, end.Paths);
            writer.Write([.. apps.Select(a => a.App)], ids.First, sockets, host, tree, _options.StopTimeout, subject);
            using NspawnStreams streams = NspawnStreams.Prepare([.. apps.Select(a => a.App)], end.Paths, ids.First);
            Directory.CreateDirectory(group);
            limits.Prepare([.. apps.Select(a => a.App)], end.Paths, group, ids.First, NspawnMetadata.Write(pod, end.Paths, _options.StartTimeout) ? [NspawnMetadata.Unit] : []);
            using Fd groupDirectory = Fd.OpenDirectory(group);
            using NotifySocket socket = NotifySocket.Bind(end.Paths.Own);
            using LifeGuard? guard = pod.Lifetime == PodLifetime.Host ? new LifeGuard(subject, group) : null;
            using HostObjects objects = MayShowHostObjects(ids, labels) ? HostObjects.Open(tree) : HostObjects.None();
            LaunchedProcess process;
            using (LaunchPlan plan = NspawnPlan.Build(pod, new NspawnLaunch(nspawn, tree, objects, ids, groupDirectory, hierarchy, limits, sockets, streams, host, labels, guard), apps, subject))
            {
                process = Launch(plan, guard, subject, apps.SelectMany(a => a.App.Mounts), limits);
            }

            scope?.Dispose();
            Task<ProcessEnd> first = _reaper.Adopt(process, out long started);
            guard?.ReleaseAfter(first, _reaper);
            await WaitUntilStartedAsync(pod, end.Paths, first, socket, limits, subject, cancellationToken).ConfigureAwait(false);
            return new Stage1Process(new Stage1ProcessId(process.Pid, started, ProcFs.BootId()), end.FinishAsync(first));
        }
        catch
        {
            await end.AbandonAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            images.ForEach(i => i.Dispose());
        }
    }

    private async Task<PodScope> MakeScopeAsync(Stage1Pod pod, string subject, CancellationToken cancellationToken)
    {
        string shell = NspawnHost.Shell ?? throw new LaunchException("find a shell", 0, $"{subject}: no shell was found at /bin/dash or /bin/sh", "Install one: apt-get install dash");
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.StartTimeout);
        try
        {
            // Longer than any app may take, so that the systemd inside ends the pod in good order.
            TimeSpan longest = pod.Apps.Select(a => a.StopTimeout ?? _options.StopTimeout).DefaultIfEmpty(_options.StopTimeout).Max();
            return await PodScope.StartAsync(pod.Uuid, shell, (longest * 2) + TimeSpan.FromSeconds(10), subject, limit.Token, BusAddress).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LaunchException("make a scope for the pod", 0, $"{subject}: systemd did not make the pod's scope within {_options.StartTimeout.TotalSeconds} s", null, e);
        }
    }

    /// <inheritdoc/>
    public Stage1Layer LayerOf(Stage1Pod pod, AcName app)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(app);
        PodPaths paths = new(pod);
        using ImageTree tree = ImageTree.Of(pod.Apps.First(a => a.Name == app), $"pod {pod.Uuid}");
        return new Stage1Layer(paths.UpperOf(app), paths.ReadRange() ?? 0, NameFileSteps.PathsFor(pod.Options, NspawnPlan.HostNameOf(pod), tree));
    }

    private static LaunchedProcess Launch(LaunchPlan plan, LifeGuard? guard, string subject, IEnumerable<AppMount> mounts, PodLimits limits)
    {
        try
        {
            return guard is null ? plan.Start() : guard.Start(plan);
        }
        catch (LaunchException e) when (e.Errno == Errno.ENOMEM && limits.HintForMemory is { } hint)
        {
            throw new LaunchException(e.Step, e.Errno, e.Message, hint, e);
        }
        catch (LaunchException e)
        {
            throw NspawnPlan.Explain(e, subject, mounts);
        }
    }

    private void Report(Stage1Pod pod, List<(NspawnApp App, ImageTree Image)> apps)
    {
        if (!pod.Options.PrivateUsers)
        {
            _logger.NoUserNamespace(pod.Uuid);
        }

        foreach ((NspawnApp app, ImageTree image) in apps)
        {
            foreach (string path in AppMounts.Masked(app.Mounts, image))
            {
                _logger.VolumeMasks(app.Name.ToString(), pod.Uuid, path);
            }

            if (app.GainsNoPrivileges(app.User) && !app.NoNewPrivileges)
            {
                _logger.NoNewPrivilegesImplied(app.Name.ToString(), pod.Uuid);
            }
        }
    }

    /// <summary>
    /// Whether a pod may have files of the host: not where its root is the host's, to whom they belong, nor where its
    /// processes have a label of their own, which may not read them.
    /// </summary>
    private static bool MayShowHostObjects(IdMap ids, SecurityLabels labels) => ids.IsMapped && labels.SelinuxContext is null;

    private static IdMap MapIds(Stage1Pod pod, PodPaths paths)
    {
        if (!pod.Options.PrivateUsers)
        {
            return IdMap.Same();
        }

        IdRange range = new IdRanges(pod.Root).Allocate(pod.Uuid);
        PodPaths.WriteText(paths.Range, range.First.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return IdMap.Shifted(range);
    }

    /// <summary>Waits until the apps are started, or have ended already, and records the pod's process 1 meanwhile.</summary>
    private async Task WaitUntilStartedAsync(
        Stage1Pod pod, PodPaths paths, Task<ProcessEnd> first, NotifySocket socket, PodLimits limits, string subject, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.StartTimeout);
        NspawnMetadata? metadata = NspawnMetadata.Of(pod, paths, _logger);
        Action<int> onLeader = pid =>
        {
            RecordLeader(paths, pid);
            metadata?.Begin(limit.Token);
        };
        Task ready = NspawnReadiness.IsAnnounced(pod)
            ? NspawnReadiness.WaitUntilBegunAsync(paths, socket, onLeader, Marks(pod), limit.Token)
            : socket.WaitUntilReadyAsync(onLeader, limit.Token);
        ready = metadata?.FollowedByAsync(ready) ?? ready;
        Task done = await Task.WhenAny(ready, first).ConfigureAwait(false);
        await limit.CancelAsync().ConfigureAwait(false);
        if (PodParameters.Failure(paths) is { } parameter)
        {
            throw new LaunchException("set kernel parameters", 0, $"{subject}: a kernel parameter of the pod cannot be set: {parameter}", "Check name and value of the isolator os/unix/sysctl.");
        }

        // One that somebody stops meanwhile has started and ended, though its apps may not have come so far.
        bool ended = done == first && (File.Exists(paths.Stopped) || pod.Apps.Any(a => PodFiles.ReadStatus(pod.Directory, a.Name) is not null));
        if (ended || (done == ready && ready.IsCompletedSuccessfully))
        {
            return;
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (done == ready && ready.Exception?.InnerException is PodException refused)
        {
            throw refused;
        }

        if (!first.IsCompleted)
        {
            throw new LaunchException("start the pod", 0, $"{subject}: the pod did not start within {_options.StartTimeout.TotalSeconds} s");
        }

        throw NspawnMessages.LastOf(paths.NspawnLog) is { } reason
            ? new LaunchException("run systemd-nspawn", 0, $"{subject}: systemd-nspawn failed: {reason}", NspawnMessages.HintFor(reason) ?? limits.HintForMemory)
            : new LaunchException("start the pod", 0, $"{subject}: the systemd inside the pod ended before it had started the apps", limits.HintForMemory ?? NspawnMessages.HintForSilence());
    }

    /// <summary>Files that say of the apps of a mutable pod that they are begun: the others count as not started.</summary>
    private static IReadOnlyList<string> Marks(Stage1Pod pod) =>
        pod.Mutable ? [.. pod.Apps.Select(a => a.Name).Where(a => !NspawnSockets.IsLazy(pod, a)).Select(a => a.ToString())] : [];

    private static void RecordLeader(PodPaths paths, int pid)
    {
        if (ProcFs.StartTime(pid) is { } started)
        {
            PodPaths.WriteText(paths.Leader, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{pid} {started} {ProcFs.BootId()}"));
        }
    }
}
