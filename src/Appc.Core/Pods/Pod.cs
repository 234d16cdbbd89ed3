using System.Net;
using Appc.Images;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Pods;

/// <summary>
/// A handle on one pod, in whatever state: made by the call that started it, or opened by its UUID from any
/// process that uses the same data directory. Holds nothing that the pod needs to live.
/// </summary>
public sealed class Pod : IAsyncDisposable
{
    private readonly PodRuntime _runtime;
    private readonly bool _stopOnDispose;
    private readonly Task<PodStatus>? _end;

    internal Pod(PodRuntime runtime, string uuid, bool stopOnDispose, Task<PodStatus>? end = null)
    {
        _end = end;
        _runtime = runtime;
        Uuid = uuid;
        _stopOnDispose = stopOnDispose;
    }

    /// <summary>The pod's UUID: 36 characters, lower case.</summary>
    public string Uuid { get; }

    /// <summary>Looks at the pod.</summary>
    public Task<PodStatus> GetStatusAsync(CancellationToken cancellationToken = default) => _runtime.GetStatusAsync(Uuid, cancellationToken);

    /// <summary>The pod's manifest as it runs.</summary>
    /// <exception cref="PodException">The pod is gone.</exception>
    public Task<PodManifest> GetManifestAsync(CancellationToken cancellationToken = default) => _runtime.GetManifestAsync(Uuid, cancellationToken);

    /// <summary>
    /// The isolators that the pod and its apps ask for, and which of them are not enforced: that was found before the pod was written, by
    /// <see cref="PodRuntime.FindUnenforcedIsolators"/>, or before the app was added.
    /// </summary>
    /// <exception cref="PodException">The pod is gone.</exception>
    public Task<IReadOnlyList<PodIsolator>> GetIsolatorsAsync(CancellationToken cancellationToken = default) => _runtime.GetIsolatorsAsync(Uuid, cancellationToken);

    /// <summary>Waits until the pod has ended; returns at once if it has. Any number of waiters, in any process.</summary>
    /// <exception cref="PodException">The pod is only prepared, so that it will not end.</exception>
    public Task<PodStatus> WaitAsync(CancellationToken cancellationToken = default) =>
        _end?.WaitAsync(cancellationToken) ?? _runtime.WaitAsync(Uuid, cancellationToken);

    /// <summary>
    /// Waits until the pod is ready: started, and every app that announces its readiness
    /// (<see cref="AppSpec.AnnouncesReadiness"/>) has done so. Any number of waiters, in any process.
    /// </summary>
    /// <param name="timeout">How long to wait. Default: for ever.</param>
    /// <param name="cancellationToken">Cancels the waiting; nothing happens to the pod.</param>
    /// <exception cref="PodException">
    /// The time is over, or the pod or an app ended before it was ready (<see cref="PodFailure.NotReady"/>); the pod was
    /// not started (<see cref="PodFailure.WrongState"/>).
    /// </exception>
    public Task<PodStatus> WaitUntilReadyAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _runtime.WaitUntilReadyAsync(Uuid, timeout, cancellationToken);

    /// <summary>Asks the pod to stop, and kills what is left of it after a while; returns when it has ended.</summary>
    /// <param name="grace">
    /// How long the apps have to stop by themselves; one that has a <see cref="AppSpec.StopTimeout"/> has no more than that.
    /// Zero kills at once. Default: each app its own time, and 10 seconds if it has none.
    /// </param>
    /// <param name="cancellationToken">Cancels the call, not the stop that it has begun.</param>
    public Task<PodStatus> StopAsync(TimeSpan? grace = null, CancellationToken cancellationToken = default) =>
        _runtime.StopAsync(Uuid, grace ?? Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>
    /// Starts a command in an app that runs, in all of the app's isolation: namespaces, root, control group, limits,
    /// user, capabilities and filter of system calls. The command is a child of this process and ends with the pod.
    /// </summary>
    /// <param name="app">Name of the app; null if the pod has only one.</param>
    /// <param name="command">The program and its arguments. A name without a slash is looked up in the app's <c>PATH</c>.</param>
    /// <param name="options">How to run it; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the start, not the command.</param>
    /// <returns>The running command.</returns>
    /// <exception cref="PodException">The pod does not run, has no such app, or its flavour runs no commands.</exception>
    /// <exception cref="Stage1.LaunchException">The app has ended, or the command cannot be executed.</exception>
    public Task<PodExec> ExecAsync(string? app, IReadOnlyList<string> command, ExecOptions? options = null, CancellationToken cancellationToken = default) =>
        _runtime.ExecAsync(Uuid, app, command, options, cancellationToken);

    /// <summary>
    /// Adds an app to the pod, which runs and is <see cref="PodSpec.Mutable"/>. The other apps notice nothing of it. It takes the
    /// pod's volumes by their names, and shares all else with the other apps as if it had been there from the start.
    /// </summary>
    /// <param name="app">The app.</param>
    /// <param name="start">Whether it is started too. If that fails the app stays in the pod, not started.</param>
    /// <param name="trust">What must be proven about its images; null for what was asked when the pod was prepared.</param>
    /// <param name="strict">
    /// Whether the app is refused if one of its isolators cannot be enforced in this pod. Otherwise such isolators are logged, and it runs
    /// without them; not in a pod that was itself made <see cref="PodSpec.Strict"/>.
    /// </param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The app as it was right after that.</returns>
    /// <exception cref="PodException">
    /// The pod does not run or is not mutable (<see cref="PodFailure.WrongState"/>), or the app cannot be one of it: its name is
    /// taken, it mounts a volume that the pod does not have, it has an isolator that must be enforced and cannot be.
    /// </exception>
    /// <exception cref="TrustException">An image does not satisfy the policy today.</exception>
    /// <exception cref="Stage1.LaunchException">The app cannot be run in this pod, or a step failed; nothing of it is left.</exception>
    public Task<AppStatus> AddAppAsync(
        AppSpec app, bool start = true, TrustPolicy? trust = null, bool strict = false, CancellationToken cancellationToken = default) =>
        _runtime.AddAppAsync(Uuid, app, start, trust, strict, cancellationToken);

    /// <summary>Starts an app of a mutable pod that was not started, or once more one that has ended. Does nothing if it runs.</summary>
    /// <param name="app">Name of the app.</param>
    /// <param name="cancellationToken">Cancels the call, not the start that it has begun.</param>
    /// <returns>The app as it was right after that.</returns>
    /// <exception cref="PodException">The pod does not run, is not mutable, or has no such app.</exception>
    /// <exception cref="Stage1.LaunchException">The app could not be started.</exception>
    public Task<AppStatus> StartAppAsync(string app, CancellationToken cancellationToken = default) => _runtime.StartAppAsync(Uuid, app, cancellationToken);

    /// <summary>Asks an app of a mutable pod to stop, and kills what is left of it after a while; returns when it has ended.</summary>
    /// <param name="app">Name of the app.</param>
    /// <param name="grace">How long it has to stop by itself; zero kills at once. Default: its own time, and 10 seconds if it has none.</param>
    /// <param name="cancellationToken">Cancels the call, not the stop that it has begun.</param>
    /// <returns>The app as it was right after that.</returns>
    /// <exception cref="PodException">The pod does not run, is not mutable, or has no such app.</exception>
    /// <exception cref="Stage1.LaunchException">The pod does not answer.</exception>
    public Task<AppStatus> StopAppAsync(string app, TimeSpan? grace = null, CancellationToken cancellationToken = default) =>
        _runtime.StopAppAsync(Uuid, app, grace ?? Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>Stops an app of a mutable pod and takes it out of the pod, with its files, its logs and its status.</summary>
    /// <param name="app">Name of the app.</param>
    /// <param name="grace">How long it has to stop by itself; zero kills at once. Default: its own time, and 10 seconds if it has none.</param>
    /// <param name="cancellationToken">Cancels the call, not what it has begun.</param>
    /// <exception cref="PodException">The pod does not run, is not mutable, or has no such app.</exception>
    /// <exception cref="Stage1.LaunchException">The pod does not answer.</exception>
    public Task RemoveAppAsync(string app, TimeSpan? grace = null, CancellationToken cancellationToken = default) =>
        _runtime.RemoveAppAsync(Uuid, app, grace ?? Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>
    /// Attaches to the streams of an app: its input, if it was given one (<see cref="AppSpec.Input"/>), and what it writes from now on.
    /// From any process, any number of times at once; detaching changes nothing for the app. Of an app that has ended
    /// the output ends at once.
    /// </summary>
    /// <param name="app">Name of the app; null if the pod has only one.</param>
    /// <param name="options">How to attach; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the call; nothing of it is left.</param>
    /// <exception cref="PodException">
    /// The pod was not started or has no such app; the input was asked for, and the app has none or its input has ended.
    /// </exception>
    /// <exception cref="Stage1.LaunchException">The input cannot be opened.</exception>
    public Task<PodAttachment> AttachAsync(string? app = null, AttachOptions? options = null, CancellationToken cancellationToken = default) =>
        _runtime.AttachAsync(Uuid, app, options, cancellationToken);

    /// <summary>
    /// Connects to what listens at a port of the pod's loopback interface, whatever network the pod has: the pod needs no
    /// interface for it, and nobody else is let in.
    /// </summary>
    /// <param name="port">The TCP port in the pod: 1 to 65535.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The connection.</returns>
    /// <exception cref="PodException">The pod does not run, or nothing there accepts connections (<see cref="PodFailure.NotReady"/>).</exception>
    public Task<Stream> ConnectAsync(int port, CancellationToken cancellationToken = default) => _runtime.ConnectAsync(Uuid, port, cancellationToken);

    /// <summary>
    /// Listens at an address of the host and carries each connection to a port of the pod's loopback interface, until the
    /// result is disposed. It is this process that carries them: they end with it.
    /// </summary>
    /// <param name="port">The TCP port in the pod: 1 to 65535.</param>
    /// <param name="at">Where to listen. Default: a free port of 127.0.0.1, so that only this host gets in.</param>
    /// <exception cref="PodException">The address cannot be listened at.</exception>
    public PodPortForward ForwardPort(int port, IPEndPoint? at = null) => _runtime.Forward(Uuid, port, at);

    /// <summary>
    /// Makes an image of an app's root file system as the ended pod has left it: name, labels and the rest are those of the app's image,
    /// whose dependencies are merged into it. Volumes are not part of it, nor sockets, nor <c>/etc/hosts</c>,
    /// <c>/etc/resolv.conf</c> and <c>/etc/hostname</c> where the pod was given them.
    /// </summary>
    /// <param name="path">The image's file, which appears whole or not at all; its name should end in <c>.aci</c>.</param>
    /// <param name="app">Name of the app; null if the pod has only one.</param>
    /// <param name="options">How to build; null means the defaults.</param>
    /// <param name="cancellationToken">Cancels the call; no file stays.</param>
    /// <returns>The image's id.</returns>
    /// <exception cref="PodException">The pod has not ended, it has no such app, or its flavour keeps no files.</exception>
    /// <exception cref="ImageException">The files hold what no image may hold, or the image cannot be written.</exception>
    public Task<ImageId> ExportAsync(string path, string? app = null, AciBuildOptions? options = null, CancellationToken cancellationToken = default) =>
        _runtime.ExportAsync(Uuid, app, path, options, cancellationToken);

    /// <summary>Removes the pod's directory, with its logs and statuses.</summary>
    /// <exception cref="PodException">The pod runs.</exception>
    public Task RemoveAsync(CancellationToken cancellationToken = default) => _runtime.RemoveAsync(Uuid, cancellationToken);

    /// <summary>
    /// Copies what the apps have written, and with <paramref name="follow"/> what they write until the pod has
    /// ended.
    /// </summary>
    /// <param name="standardOutput">Takes the apps' standard output; null leaves it out.</param>
    /// <param name="standardError">Takes the apps' standard error; null leaves it out.</param>
    /// <param name="app">Name of the one app to copy from; null for all.</param>
    /// <param name="follow">Whether to go on until the pod has ended and all is copied.</param>
    /// <param name="cancellationToken">Cancels the copying.</param>
    public Task CopyLogsAsync(Stream? standardOutput, Stream? standardError, string? app = null, bool follow = false, CancellationToken cancellationToken = default) =>
        CopyLogsAsync(new LogOptions { App = app, Follow = follow }, standardOutput, standardError, cancellationToken);

    /// <summary>Copies what the apps have written, as far as it is still there: from the end, from a cursor, or while they write.</summary>
    /// <param name="options">What to copy.</param>
    /// <param name="standardOutput">Takes the apps' standard output; null leaves it out.</param>
    /// <param name="standardError">Takes the apps' standard error; null leaves it out.</param>
    /// <param name="cancellationToken">Cancels the copying; the cursor of <paramref name="options"/> then tells how far it came.</param>
    /// <returns>How far it was copied, to go on from there: the cursor of <paramref name="options"/> if there is one.</returns>
    /// <exception cref="PodException">The pod has no such app, or is gone.</exception>
    public Task<LogCursor> CopyLogsAsync(LogOptions options, Stream? standardOutput, Stream? standardError, CancellationToken cancellationToken = default) =>
        _runtime.CopyLogsAsync(Uuid, options, standardOutput, standardError, cancellationToken);

    /// <summary>What the apps have written to their standard output so far, as UTF-8 text.</summary>
    /// <param name="app">Name of the one app to read from; null for all, in the order of the manifest.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    public async Task<string> ReadOutputAsync(string? app = null, CancellationToken cancellationToken = default)
    {
        using var output = new MemoryStream();
        await CopyLogsAsync(output, null, app, follow: false, cancellationToken).ConfigureAwait(false);
        return System.Text.Encoding.UTF8.GetString(output.GetBuffer(), 0, (int)output.Length);
    }

    /// <summary>Lets the handle go, and stops the pod if <see cref="PodSpec.StopOnDispose"/> asked for it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopOnDispose)
        {
            PodStatus status = await GetStatusAsync().ConfigureAwait(false);
            if (status.State == PodState.Running)
            {
                await StopAsync().ConfigureAwait(false);
            }
        }
    }
}
