using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Appc.Fetching;
using Appc.Images;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>
/// Prepares, runs, finds and collects the pods of one data directory. There is no daemon: all state is on disk
/// and in the kernel, any number of runtimes in any number of processes may use the same directory at once, and
/// pods outlive the runtime that started them unless they were asked not to. Thread safe.
/// </summary>
public sealed class PodRuntime : IAsyncDisposable, IDisposable
{
    private readonly IReadOnlyList<IStage1> _stage1s;
    private readonly PodDirectories _pods;
    private readonly PodFactory _factory;
    private readonly PodSupervisor _supervisor;
    private readonly PodCollector _collector;
    private readonly PodAttacher _attacher;
    private readonly PodNetwork _network;
    private readonly PodApps _apps;
    private readonly ILogger _logger;
    private readonly PodExporter _exporter;
    private readonly ProcessWatcher _watcher;
    private readonly PodWatch _watch;

    internal PodRuntime(string root, IReadOnlyList<IStage1> stage1s, ImageStore images, ImageFetcher fetcher, TimeProvider time, ILoggerFactory loggerFactory)
    {
        ILogger logger = _logger = loggerFactory.CreateLogger("Appc.Pods");
        LoggerFactory = loggerFactory;
        TimeProvider = time;
        Root = root;
        Images = images;
        Fetcher = fetcher;
        _stage1s = stage1s;
        _pods = new PodDirectories(root);
        var trust = new PodTrust(images, logger);
        _factory = new PodFactory(_pods, images, trust, time, logger);
        var loop = new EpollLoop("appc watcher");
        _watcher = new ProcessWatcher(loop);
        _watch = new PodWatch(_pods, loop, _watcher, time, logger);
        _supervisor = new PodSupervisor(_pods, FindStage1, trust, _watcher, _watch, logger);
        _apps = new PodApps(_pods, images, _factory, trust, _supervisor, logger);
        _attacher = new PodAttacher(_pods, _supervisor);
        _exporter = new PodExporter(_pods, images, _supervisor);
        _collector = new PodCollector(_pods, stage1s, images, time, logger);
        _network = new PodNetwork(_pods);
        _supervisor.Remove = _collector.RemoveAsync;
    }

    /// <summary>The data directory.</summary>
    public string Root { get; }

    /// <summary>The images of the data directory.</summary>
    public ImageStore Images { get; }

    /// <summary>Brings images from names, URLs and files into <see cref="Images"/>.</summary>
    public ImageFetcher Fetcher { get; }

    /// <summary>The registered stage1 flavours, the default one first.</summary>
    public IReadOnlyList<IStage1> Stage1s => _stage1s;

    internal PodDirectories Directories => _pods;

    internal ProcessWatcher Watcher => _watcher;

    internal ILoggerFactory LoggerFactory { get; }

    internal TimeProvider TimeProvider { get; }

    /// <summary>Fetches an image, with its dependencies, under the default or the given options.</summary>
    /// <param name="reference">A name with version and labels, an image id, a URL, or the path of a file.</param>
    /// <param name="options">How to fetch; null for the defaults.</param>
    /// <param name="progress">Told how far the fetch has come.</param>
    /// <param name="cancellationToken">Cancels the fetch.</param>
    /// <returns>The stored image.</returns>
    /// <exception cref="FetchException">It was not found or could not be brought here.</exception>
    /// <exception cref="TrustException">Its signature does not satisfy the policy.</exception>
    /// <exception cref="ImageException">The archive is malformed or not the one that was asked for.</exception>
    public async Task<StoredImage> FetchAsync(string reference, FetchOptions? options = null, IProgress<FetchProgress>? progress = null, CancellationToken cancellationToken = default) =>
        (await Fetcher.FetchAsync(reference, options, progress, cancellationToken).ConfigureAwait(false)).Image;

    /// <summary>Prepares a pod: checks everything, and writes its directory. Nothing runs yet.</summary>
    /// <exception cref="PodException">The specification does not make a pod, or the pod cannot be written.</exception>
    /// <exception cref="TrustException">
    /// An image, or one that it depends on, does not satisfy the policy today: it was stored unchecked, or its keys were
    /// removed, revoked, have expired, or are no longer trusted for its name.
    /// </exception>
    public async Task<Pod> PrepareAsync(PodSpec spec, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.Sockets.Count > 0)
        {
            throw new PodException(PodFailure.BadSpec, "a pod that is only prepared cannot be handed sockets: they would not outlive this process", "hand them over when the pod is run (RunPreparedOptions.Sockets), or run it at once, with RunAsync");
        }

        return await StorageErrors.ExplainAsync("the pod cannot be prepared", async () =>
        {
            PodFactory.Embryo embryo = await _factory.CreateAsync(spec, SelectStage1(spec.Stage1), cancellationToken).ConfigureAwait(false);
            string uuid = embryo.Location.Uuid;
            bool moved;
            try
            {
                using (embryo.Lock)
                {
                    moved = _pods.Move(embryo.Location, PodPhase.Prepared);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                await _supervisor.DiscardAsync(uuid).ConfigureAwait(false);
                throw;
            }

            return moved ? new Pod(this, uuid, spec.StopOnDispose) : throw new PodException(PodFailure.WrongState, $"the pod {uuid} was removed while it was prepared");
        }).ConfigureAwait(false);
    }

    /// <summary>
    /// Prepares a pod and starts it; returns when its first process runs. <see cref="Pod.WaitUntilReadyAsync"/> waits for
    /// apps that announce when they are ready.
    /// </summary>
    /// <exception cref="PodException">The specification does not make a pod, or this host cannot run it.</exception>
    /// <exception cref="TrustException">
    /// An image, or one that it depends on, does not satisfy the policy today: it was stored unchecked, or its keys were
    /// removed, revoked, have expired, or are no longer trusted for its name.
    /// </exception>
    /// <exception cref="LaunchException">A step of the start failed; nothing of the pod is left.</exception>
    public async Task<Pod> RunAsync(PodSpec spec, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        IStage1 stage1 = SelectStage1(spec.Stage1);
        await _supervisor.RequireSuitableHostAsync(stage1, cancellationToken).ConfigureAwait(false);
        await _supervisor.RequireMetadataAsync("the pod", spec.Options, stage1, cancellationToken).ConfigureAwait(false);
        RunningPod running = await StorageErrors.ExplainAsync("the pod cannot be run", async () =>
        {
            PodFactory.Embryo embryo = await _factory.CreateAsync(spec, stage1, cancellationToken).ConfigureAwait(false);
            return await _supervisor.StartAsync(stage1, embryo, PodSockets.Assign(spec.Sockets, embryo.Manifest), cancellationToken).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return new Pod(this, running.Uuid, spec.StopOnDispose, running.End);
    }

    /// <summary>Starts a prepared pod. Its images are looked at again: keys may have gone since it was prepared.</summary>
    /// <param name="uuid">The pod's name, its UUID, or a unique prefix of that.</param>
    /// <param name="options">What is said only now; null for nothing.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="PodException">No such pod, it is not prepared, this host cannot run it, or a socket fits none of its apps. In the last case the pod stays prepared.</exception>
    /// <exception cref="TrustException">An image does not satisfy the policy today. The pod stays prepared.</exception>
    /// <exception cref="LaunchException">A step of the start failed; nothing of the pod is left.</exception>
    public async Task<Pod> RunPreparedAsync(string uuid, RunPreparedOptions? options = null, CancellationToken cancellationToken = default)
    {
        PodLocation location = _pods.Resolve(uuid);
        RunningPod running = await StorageErrors.ExplainAsync($"the pod {location.Uuid} cannot be started", () =>
        {
            foreach (string id in PodFiles.TryReadRecord(location.Directory)?.Apps.SelectMany(a => a.ImageIds) ?? [])
            {
                Images.MarkUsed(ImageId.Parse(id));
            }

            return _supervisor.StartPreparedAsync(location, options ?? new RunPreparedOptions(), cancellationToken);
        }).ConfigureAwait(false);
        return new Pod(this, running.Uuid, stopOnDispose: false, running.End);
    }

    /// <summary>Opens a pod, whoever started it.</summary>
    /// <param name="uuid">The pod's name, its UUID, or a unique prefix of that.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="PodException">No pod, or several, are meant.</exception>
    public Task<Pod> OpenAsync(string uuid, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(new Pod(this, _pods.Resolve(uuid).Uuid, stopOnDispose: false));
    }

    /// <summary>All pods of the data directory, the newest first.</summary>
    public Task<IReadOnlyList<PodStatus>> ListAsync(CancellationToken cancellationToken = default) => ListAsync(new PodFilter(), cancellationToken);

    /// <summary>The pods of the data directory that a filter means, the newest first.</summary>
    /// <exception cref="PodException">The pods cannot be listed, or a newer version made them.</exception>
    public Task<IReadOnlyList<PodStatus>> ListAsync(PodFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return PodList.ReadAsync(_pods, filter, cancellationToken);
    }

    /// <summary>
    /// Begins to follow the events of pods, also those of other processes. Nothing that happens after this call is missed.
    /// </summary>
    /// <param name="options">Which events; null for all that happen from now on.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The subscription, which the caller disposes.</returns>
    /// <exception cref="PodException">There is no such pod, or the pods' directory cannot be used.</exception>
    public Task<PodEventSubscription> SubscribeAsync(PodEventOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new PodEventOptions();
        return _watch.SubscribeAsync(options, options.Pod is { } pod ? _pods.Resolve(pod).Uuid : null, cancellationToken);
    }

    /// <summary>Follows the events of pods as a sequence, which ends when the runtime is disposed.</summary>
    /// <param name="options">Which events; null for all that happen from now on.</param>
    /// <param name="cancellationToken">Ends the sequence.</param>
    /// <exception cref="PodException">There is no such pod, or the pods' directory cannot be used.</exception>
    public async IAsyncEnumerable<PodEvent> WatchAsync(PodEventOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using PodEventSubscription subscription = await SubscribeAsync(options, cancellationToken).ConfigureAwait(false);
        await foreach (PodEvent next in subscription.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return next;
        }
    }

    /// <summary>Looks whether this host can run pods: whether the data directory can be written, and what the flavours say.</summary>
    public Task<RuntimeHealth> CheckHealthAsync(CancellationToken cancellationToken = default) =>
        RuntimeHealthCheck.RunAsync(Root, _pods, _stage1s, cancellationToken);

    /// <summary>Removes a pod that does not run, with its logs and statuses.</summary>
    /// <param name="uuid">The pod's name, its UUID, or a unique prefix of that.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="PodException">No such pod, or it runs.</exception>
    public Task RemoveAsync(string uuid, CancellationToken cancellationToken = default)
    {
        string whole = _pods.Resolve(uuid).Uuid;
        return StorageErrors.ExplainAsync($"the pod {whole} cannot be removed", () => _collector.RemoveAsync(whole, cancellationToken));
    }

    /// <summary>
    /// Marks ended pods, removes those that were marked long enough ago, and clears away what interrupted calls
    /// have left. Safe beside running pods and other collectors.
    /// </summary>
    /// <param name="options">Grace periods; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the collection between two pods.</param>
    public Task<GarbageReport> CollectGarbageAsync(GarbageOptions? options = null, CancellationToken cancellationToken = default) =>
        StorageErrors.ExplainAsync("pods cannot be collected", () => _collector.CollectAsync(options ?? new GarbageOptions(), cancellationToken));

    /// <summary>What a flavour found on this host.</summary>
    /// <param name="stage1">Name of the flavour; null for the default one.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="PodException">No such flavour is registered.</exception>
    public Task<Stage1HostReport> ProbeAsync(string? stage1 = null, CancellationToken cancellationToken = default) =>
        SelectStage1(stage1).ProbeAsync(cancellationToken);

    /// <summary>Tells which isolators of a pod cannot be enforced on this host, as a start would log and <see cref="PodSpec.Strict"/> refuse. Changes nothing.</summary>
    /// <exception cref="PodException">The specification does not make a pod.</exception>
    public IReadOnlyList<UnenforcedIsolator> FindUnenforcedIsolators(PodSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        IStage1 stage1 = SelectStage1(spec.Stage1);
        return UnenforcedIsolator.Find(stage1, PodReifier.Reify(spec, stage1), spec.Options, spec.Mutable);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Fetcher.Dispose();
        _watch.Dispose();
        _watcher.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    internal Task<PodStatus> GetStatusAsync(string uuid, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return StorageErrors.ExplainAsync(CannotLook(uuid), () => Task.FromResult(_supervisor.Look(uuid)));
    }

    internal Task<PodManifest> GetManifestAsync(string uuid, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return StorageErrors.ExplainAsync(CannotLook(uuid), () => Task.FromResult(PodFiles.ReadManifest(_pods.Resolve(uuid).Directory)));
    }

    internal async Task<IReadOnlyList<PodIsolator>> GetIsolatorsAsync(string uuid, CancellationToken cancellationToken) =>
        PodIsolator.Read(await GetManifestAsync(uuid, cancellationToken).ConfigureAwait(false), PodFiles.TryReadRecord(_pods.Resolve(uuid).Directory));

    internal Task<PodStatus> WaitAsync(string uuid, CancellationToken cancellationToken) =>
        StorageErrors.ExplainAsync(CannotLook(uuid), () => _supervisor.WaitAsync(uuid, cancellationToken));

    internal Task<PodStatus> WaitUntilReadyAsync(string uuid, TimeSpan? timeout, CancellationToken cancellationToken) =>
        StorageErrors.ExplainAsync(CannotLook(uuid), () => PodReadiness.WaitAsync(_pods, _watch, uuid, timeout, cancellationToken));

    internal Task<PodStatus> StopAsync(string uuid, TimeSpan grace, CancellationToken cancellationToken) =>
        StorageErrors.ExplainAsync($"the pod {uuid} cannot be stopped", () => _supervisor.StopAsync(uuid, grace, cancellationToken));

    internal Task<PodExec> ExecAsync(string uuid, string? app, IReadOnlyList<string> command, ExecOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentOutOfRangeException.ThrowIfZero(command.Count, nameof(command));
        foreach (string name in options?.Environment.Keys ?? [])
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal))
            {
                throw new ArgumentException($"'{Printable.Text(name)}' cannot be the name of a variable", nameof(options));
            }
        }

        return _supervisor.ExecAsync(uuid, app, command, options ?? new ExecOptions(), cancellationToken);
    }

    internal Task<AppStatus> AddAppAsync(string uuid, AppSpec app, bool start, TrustPolicy? trust, bool strict, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(app);
        return StorageErrors.ExplainAsync($"the app cannot be added to the pod {uuid}", () => _apps.AddAsync(uuid, app, start, trust, strict, cancellationToken));
    }

    internal Task<AppStatus> StartAppAsync(string uuid, string app, CancellationToken cancellationToken) =>
        StorageErrors.ExplainAsync($"the app cannot be started in the pod {uuid}", () => _apps.StartAsync(uuid, app, cancellationToken));

    internal Task<AppStatus> StopAppAsync(string uuid, string app, TimeSpan grace, CancellationToken cancellationToken) =>
        StorageErrors.ExplainAsync($"the app cannot be stopped in the pod {uuid}", () => _apps.StopAsync(uuid, app, grace, cancellationToken));

    internal Task RemoveAppAsync(string uuid, string app, TimeSpan grace, CancellationToken cancellationToken) =>
        StorageErrors.ExplainAsync($"the app cannot be removed from the pod {uuid}", () => _apps.RemoveAsync(uuid, app, grace, cancellationToken));

    internal Task<ImageId> ExportAsync(string uuid, string? app, string path, AciBuildOptions? options, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return StorageErrors.ExplainAsync($"no image can be made of the pod {uuid}", () => _exporter.ExportAsync(uuid, app, path, options ?? new AciBuildOptions(), cancellationToken));
    }

    internal Task<PodAttachment> AttachAsync(string uuid, string? app, AttachOptions? options, CancellationToken cancellationToken) =>
        _attacher.AttachAsync(uuid, app, options ?? new AttachOptions(), cancellationToken);

    internal async Task<Stream> ConnectAsync(string uuid, int port, CancellationToken cancellationToken) =>
        new NetworkStream(await _network.ConnectAsync(uuid, Port(port), cancellationToken).ConfigureAwait(false), ownsSocket: true);

    internal PodPortForward Forward(string uuid, int port, IPEndPoint? at) =>
        new(at ?? new IPEndPoint(IPAddress.Loopback, 0), uuid, Port(port), token => _network.ConnectAsync(uuid, port, token), _logger);

    internal async Task<LogCursor> CopyLogsAsync(string uuid, LogOptions options, Stream? standardOutput, Stream? standardError, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Tail ?? 0, nameof(options));
        PodLocation location = _pods.Resolve(uuid);
        using var copier = new PodLogCopier(PodFiles.ReadManifest(location.Directory), standardOutput, standardError, options);
        await copier.CopyNewAsync(location.Directory, cancellationToken).ConfigureAwait(false);
        if (options.Follow)
        {
            await FollowLogsAsync(copier, location, cancellationToken).ConfigureAwait(false);
        }

        return copier.Cursor;
    }

    private async Task FollowLogsAsync(PodLogCopier copier, PodLocation location, CancellationToken cancellationToken)
    {
        Task<PodStatus> end = WaitAsync(location.Uuid, cancellationToken);
        bool mutable = PodFiles.TryReadRecord(location.Directory)?.Mutable == true;
        using var changes = new DirectoryChanges(Path.Combine(location.Directory, "logs"));
        while (!end.IsCompleted)
        {
            if (mutable && PodFiles.TryReadManifest(location.Directory) is { } manifest)
            {
                copier.Update(manifest);
            }

            await copier.CopyNewAsync(_pods.Find(location.Uuid)?.Directory, cancellationToken).ConfigureAwait(false);
            await Task.WhenAny(end, changes.WaitAsync(cancellationToken)).ConfigureAwait(false);
        }

        await copier.CopyNewAsync(_pods.Find(location.Uuid)?.Directory, cancellationToken).ConfigureAwait(false);
        await end.ConfigureAwait(false);
    }

    private static int Port(int port)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        return port;
    }

    private static string CannotLook(string uuid) => $"the pod {uuid} cannot be looked at";

    private IStage1 SelectStage1(string? name)
    {
        if (_stage1s.Count == 0)
        {
            throw new PodException(PodFailure.HostUnsuitable, "no stage1 flavour is registered", "call UseNspawn, UseFly or UseStage1 on the builder");
        }

        return name is null ? _stage1s[0]
            : FindStage1(name) ?? throw new PodException(
                PodFailure.BadSpec, $"no stage1 flavour is called '{name}'", "registered are " + string.Join(", ", _stage1s.Select(s => s.Name)));
    }

    private IStage1? FindStage1(string name) => _stage1s.FirstOrDefault(s => s.Name == name);
}
