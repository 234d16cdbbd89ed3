using Appc.Fetching;
using Appc.Images;
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

    internal PodRuntime(string root, IReadOnlyList<IStage1> stage1s, ImageStore images, ImageFetcher fetcher, TimeProvider time, ILoggerFactory loggerFactory)
    {
        ILogger logger = loggerFactory.CreateLogger("Appc.Pods");
        Root = root;
        Images = images;
        Fetcher = fetcher;
        _stage1s = stage1s;
        _pods = new PodDirectories(root);
        var trust = new PodTrust(images, logger);
        _factory = new PodFactory(_pods, images, trust, time, logger);
        _supervisor = new PodSupervisor(_pods, FindStage1, trust, logger);
        _attacher = new PodAttacher(_pods, _supervisor);
        _collector = new PodCollector(_pods, stage1s, images, time, logger);
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
            throw new PodException(PodFailure.BadSpec, "a pod that is only prepared cannot be handed sockets: they would not outlive this process", "run the pod at once, with RunAsync");
        }

        PodFactory.Embryo embryo = await _factory.CreateAsync(spec, SelectStage1(spec.Stage1), cancellationToken).ConfigureAwait(false);
        using (embryo.Lock)
        {
            if (!_pods.Move(embryo.Location, PodPhase.Prepared))
            {
                throw new PodException(PodFailure.WrongState, $"the pod {embryo.Location.Uuid} was removed while it was prepared");
            }
        }

        return new Pod(this, embryo.Location.Uuid, spec.StopOnDispose);
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
        PodFactory.Embryo embryo = await _factory.CreateAsync(spec, stage1, cancellationToken).ConfigureAwait(false);
        RunningPod running = await _supervisor.StartAsync(stage1, embryo, PodSockets.Assign(spec, embryo.Manifest), cancellationToken).ConfigureAwait(false);
        return new Pod(this, running.Uuid, spec.StopOnDispose, running.End);
    }

    /// <summary>Starts a prepared pod. Its images are looked at again: keys may have gone since it was prepared.</summary>
    /// <param name="uuid">The pod's UUID or a unique prefix of it.</param>
    /// <param name="trust">What must be proven about its images; null for what was asked when it was prepared.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="PodException">No such pod, it is not prepared, or this host cannot run it.</exception>
    /// <exception cref="TrustException">An image does not satisfy the policy today. The pod stays prepared.</exception>
    /// <exception cref="LaunchException">A step of the start failed; nothing of the pod is left.</exception>
    public async Task<Pod> RunPreparedAsync(string uuid, TrustPolicy? trust = null, CancellationToken cancellationToken = default)
    {
        PodLocation location = _pods.Resolve(uuid);
        foreach (string id in PodFiles.TryReadRecord(location.Directory)?.Apps.SelectMany(a => a.ImageIds) ?? [])
        {
            Images.MarkUsed(ImageId.Parse(id));
        }

        RunningPod running = await _supervisor.StartPreparedAsync(location, trust, cancellationToken).ConfigureAwait(false);
        return new Pod(this, running.Uuid, stopOnDispose: false, running.End);
    }

    /// <summary>Opens a pod, whoever started it.</summary>
    /// <param name="uuid">The pod's UUID or a unique prefix of it.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="PodException">No pod, or several, have this prefix.</exception>
    public Task<Pod> OpenAsync(string uuid, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(new Pod(this, _pods.Resolve(uuid).Uuid, stopOnDispose: false));
    }

    /// <summary>All pods of the data directory, the newest first.</summary>
    public Task<IReadOnlyList<PodStatus>> ListAsync(CancellationToken cancellationToken = default)
    {
        List<PodStatus> list = [];
        foreach (PodLocation location in _pods.Enumerate())
        {
            cancellationToken.ThrowIfCancellationRequested();
            PodStatus status = PodStatusReader.Read(_pods, location);
            if (status.State != PodState.Gone)
            {
                list.Add(status);
            }
        }

        return Task.FromResult<IReadOnlyList<PodStatus>>([.. list.OrderByDescending(p => p.Created ?? DateTimeOffset.MaxValue)]);
    }

    /// <summary>Removes a pod that does not run, with its logs and statuses.</summary>
    /// <param name="uuid">The pod's UUID or a unique prefix of it.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="PodException">No such pod, or it runs.</exception>
    public Task RemoveAsync(string uuid, CancellationToken cancellationToken = default) =>
        _collector.RemoveAsync(_pods.Resolve(uuid).Uuid, cancellationToken);

    /// <summary>
    /// Marks ended pods, removes those that were marked long enough ago, and clears away what interrupted calls
    /// have left. Safe beside running pods and other collectors.
    /// </summary>
    /// <param name="options">Grace periods; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the collection between two pods.</param>
    public Task<GarbageReport> CollectGarbageAsync(GarbageOptions? options = null, CancellationToken cancellationToken = default) =>
        _collector.CollectAsync(options ?? new GarbageOptions(), cancellationToken);

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
        return UnenforcedIsolator.Find(stage1, PodReifier.Reify(spec, stage1), spec.Options);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Fetcher.Dispose();
        _supervisor.Dispose();
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
        return Task.FromResult(_supervisor.Look(uuid));
    }

    internal Task<PodManifest> GetManifestAsync(string uuid, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(PodFiles.ReadManifest(_pods.Resolve(uuid).Directory));
    }

    internal Task<PodStatus> WaitAsync(string uuid, CancellationToken cancellationToken) => _supervisor.WaitAsync(uuid, cancellationToken);

    internal Task<PodStatus> WaitUntilReadyAsync(string uuid, TimeSpan? timeout, CancellationToken cancellationToken) =>
        PodReadiness.WaitAsync(_pods, uuid, timeout, cancellationToken);

    internal Task<PodStatus> StopAsync(string uuid, TimeSpan grace, CancellationToken cancellationToken) => _supervisor.StopAsync(uuid, grace, cancellationToken);

    internal Task<PodExec> ExecAsync(string uuid, string? app, IReadOnlyList<string> command, ExecOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentOutOfRangeException.ThrowIfZero(command.Count, nameof(command));
        return _supervisor.ExecAsync(uuid, app, command, options ?? new ExecOptions(), cancellationToken);
    }

    internal Task<PodAttachment> AttachAsync(string uuid, string? app, AttachOptions? options, CancellationToken cancellationToken) =>
        _attacher.AttachAsync(uuid, app, options ?? new AttachOptions(), cancellationToken);

    internal async Task CopyLogsAsync(string uuid, Stream? standardOutput, Stream? standardError, string? app, bool follow, CancellationToken cancellationToken)
    {
        PodLocation location = _pods.Resolve(uuid);
        using var copier = new PodLogCopier(PodFiles.ReadManifest(location.Directory), standardOutput, standardError, app);
        await copier.CopyNewAsync(location.Directory, cancellationToken).ConfigureAwait(false);
        if (follow)
        {
            await FollowLogsAsync(copier, location, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task FollowLogsAsync(PodLogCopier copier, PodLocation location, CancellationToken cancellationToken)
    {
        Task<PodStatus> end = WaitAsync(location.Uuid, cancellationToken);
        using var changes = new DirectoryChanges(Path.Combine(location.Directory, "logs"));
        while (!end.IsCompleted)
        {
            await copier.CopyNewAsync(_pods.Find(location.Uuid)?.Directory, cancellationToken).ConfigureAwait(false);
            await Task.WhenAny(end, changes.WaitAsync(cancellationToken)).ConfigureAwait(false);
        }

        await copier.CopyNewAsync(_pods.Find(location.Uuid)?.Directory, cancellationToken).ConfigureAwait(false);
        await end.ConfigureAwait(false);
    }

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
