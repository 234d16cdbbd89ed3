using System.Globalization;
using System.Net;
using System.Text;
using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1;

namespace Appc.Testing;

/// <summary>
/// A pod for the length of a test: <c>await using TestPod redis = await TestPod.StartAsync("./redis.aci", options)</c> returns
/// when it is ready, and its end is the pod's. The pod dies with the test run, also by <c>kill -9</c>; its directory is
/// removed by the next one. Needs root, as all pods do.
/// </summary>
public sealed class TestPod : IAsyncDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);
    private const int LogTail = 4000;

    private readonly TestPodOptions _options;
    private readonly PodRuntime? _ownRuntime;
    private readonly List<PodPortForward> _forwards = [];

    private TestPod(Pod pod, TestPodOptions options, PodRuntime? ownRuntime)
    {
        Pod = pod;
        _options = options;
        _ownRuntime = ownRuntime;
    }

    /// <summary>The pod.</summary>
    public Pod Pod { get; }

    /// <summary>Where the mapped ports of the pod are reached, in the order of the options or the images.</summary>
    public IReadOnlyList<PodPortForward> Ports => _forwards;

    /// <summary>Fetches or imports an image, runs a pod of it and waits until it is ready.</summary>
    /// <param name="image">The image: a file, an address or a name, as <see cref="PodRuntime.FetchAsync"/> takes it.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the start; nothing of the pod is left.</param>
    /// <exception cref="AppcException">The image cannot be had, or the pod does not start or become ready; the message has the end of its logs.</exception>
    public static async Task<TestPod> StartAsync(string image, TestPodOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(image);
        options ??= new TestPodOptions();
        var builder = new PodRuntimeBuilder(options.Root);
        options.Configure(builder);
        if (options.Trust is not null)
        {
            builder.UseTrustPolicy(options.Trust);
        }

        PodRuntime runtime = builder.Build();
        try
        {
            // Whatever killed test runs have left; pods that run are left alone, whoever runs them.
            await runtime.CollectGarbageAsync(new GarbageOptions { GracePeriod = TimeSpan.Zero }, cancellationToken).ConfigureAwait(false);
            StoredImage stored = await runtime.FetchAsync(image, cancellationToken: cancellationToken).ConfigureAwait(false);
            return await StartAsync(runtime, new PodSpec(new AppSpec(stored)), options, runtime, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await runtime.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Runs a pod and waits until it is ready.</summary>
    /// <param name="runtime">The runtime; it stays the caller's.</param>
    /// <param name="spec">The pod. It is made to die with this process.</param>
    /// <param name="options">Options, of which those of the runtime do not count; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the start; nothing of the pod is left.</param>
    /// <exception cref="AppcException">The pod does not start or become ready; the message has the end of its logs.</exception>
    public static Task<TestPod> StartAsync(PodRuntime runtime, PodSpec spec, TestPodOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(runtime);
        ArgumentNullException.ThrowIfNull(spec);
        return StartAsync(runtime, spec, options ?? new TestPodOptions(), null, cancellationToken);
    }

    /// <summary>Where a port of the pod is reached on this host.</summary>
    /// <param name="port">The port in the pod.</param>
    /// <exception cref="ArgumentException">The port is not mapped.</exception>
    public IPEndPoint EndPointOf(int port) =>
        _forwards.Find(f => f.PodPort == port)?.EndPoint
        ?? throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"port {port} is not mapped: name it in the options"), nameof(port));

    /// <summary>Stops the pod and removes it.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (PodPortForward forward in _forwards)
        {
            await forward.DisposeAsync().ConfigureAwait(false);
        }

        PodStatus status = await Pod.GetStatusAsync().ConfigureAwait(false);
        if (status.State == PodState.Running)
        {
            await Pod.StopAsync(_options.StopTimeout).ConfigureAwait(false);
            status = await Pod.GetStatusAsync().ConfigureAwait(false);
        }

        if (status.State != PodState.Gone)
        {
            await Pod.RemoveAsync().ConfigureAwait(false);
        }

        if (_ownRuntime is not null)
        {
            await _ownRuntime.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<TestPod> StartAsync(PodRuntime runtime, PodSpec spec, TestPodOptions options, PodRuntime? own, CancellationToken cancellationToken)
    {
        spec.Lifetime = PodLifetime.Host;
        options.Change?.Invoke(spec);
        Pod pod = await runtime.RunAsync(spec, cancellationToken).ConfigureAwait(false);
        var test = new TestPod(pod, options, own);
        try
        {
            await test.WaitUntilReadyAsync(PortsOf(spec, options), cancellationToken).ConfigureAwait(false);
            return test;
        }
        catch
        {
            await test.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static IEnumerable<int> PortsOf(PodSpec spec, TestPodOptions options) => options.Ports.Count > 0
        ? options.Ports
        : spec.Apps.SelectMany(a => a.Image.Manifest.App?.Ports ?? []).Where(p => p.Protocol == "tcp" && p.Count == 1).Select(p => p.Number).Distinct();

    private async Task WaitUntilReadyAsync(IEnumerable<int> ports, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.ReadyTimeout);
        string waitedFor = "its announcement";
        try
        {
            await Pod.WaitUntilReadyAsync(cancellationToken: limit.Token).ConfigureAwait(false);
            foreach (int port in ports)
            {
                waitedFor = string.Create(CultureInfo.InvariantCulture, $"connections to port {port}");
                await UntilAsync(() => AcceptsAsync(port, limit.Token), limit.Token).ConfigureAwait(false);
                _forwards.Add(Pod.ForwardPort(port));
            }

            if (_options.ReadyOutput is { } output)
            {
                waitedFor = $"the output '{output}'";
                await UntilAsync(async () => (await LogsAsync().ConfigureAwait(false)).Contains(output, StringComparison.Ordinal), limit.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw await NotReadyAsync($"is not ready after {_options.ReadyTimeout.TotalSeconds} s, waiting for {waitedFor}", null).ConfigureAwait(false);
        }
        catch (PodException e)
        {
            throw await NotReadyAsync("did not become ready: " + e.Message, e).ConfigureAwait(false);
        }
    }

    /// <summary>Looks until it is so; gives up when the pod has ended.</summary>
    private async Task UntilAsync(Func<Task<bool>> isSo, CancellationToken cancellationToken)
    {
        while (!await isSo().ConfigureAwait(false))
        {
            PodStatus status = await Pod.GetStatusAsync(cancellationToken).ConfigureAwait(false);
            if (status.HasEnded)
            {
                throw new PodException(PodFailure.NotReady, string.Create(CultureInfo.InvariantCulture, $"it has ended with {status.ExitCode}"));
            }

            await Task.Delay(LookAgain, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> AcceptsAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            Stream stream = await Pod.ConnectAsync(port, cancellationToken).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
            return true;
        }
        catch (PodException e) when (e.Failure is PodFailure.NotReady or PodFailure.WrongState)
        {
            return false;
        }
    }

    private async Task<PodException> NotReadyAsync(string what, Exception? inner)
    {
        string logs = await LogsAsync().ConfigureAwait(false);
        return new PodException(
            PodFailure.NotReady,
            $"the test pod {Pod.Uuid} {what}" + (logs.Length == 0 ? "; it has written nothing" : "; it wrote: " + logs[Math.Max(0, logs.Length - LogTail)..]),
            null,
            inner);
    }

    private async Task<string> LogsAsync()
    {
        using var logs = new MemoryStream();
        await Pod.CopyLogsAsync(logs, logs).ConfigureAwait(false);
        return Encoding.UTF8.GetString(logs.GetBuffer(), 0, (int)logs.Length);
    }
}
