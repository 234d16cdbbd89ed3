using System.Collections.Concurrent;
using Appc.Manifests;

namespace Appc.Stage1.InMemory;

/// <summary>
/// A stage1 flavour that runs nothing: every app is a function of the host's own unit tests, or ends at once with
/// a code that the test has set. The rest of the runtime is the real one (images, trust, pod directories, logs,
/// statuses, garbage collection), so that a host's tests drive the whole API without root and on every system.
/// Pods of this flavour end with the process that runs them.
/// </summary>
public sealed class InMemoryStage1 : IStage1
{
    private readonly Func<InMemoryApp, CancellationToken, Task<int>>? _behaviour;
    private readonly ConcurrentDictionary<string, RunningPod> _running = new(StringComparer.Ordinal);

    /// <summary>Makes a flavour whose apps end at once, with the codes in <see cref="ExitCodes"/>.</summary>
    public InMemoryStage1()
    {
    }

    /// <summary>Makes a flavour whose apps are a function.</summary>
    /// <param name="behaviour">
    /// Called once for each app; its result is the exit code. The token is cancelled when the pod is stopped.
    /// </param>
    public InMemoryStage1(Func<InMemoryApp, CancellationToken, Task<int>> behaviour)
    {
        ArgumentNullException.ThrowIfNull(behaviour);
        _behaviour = behaviour;
    }

    /// <inheritdoc/>
    public string Name => "in-memory";

    /// <inheritdoc/>
    public Stage1Features Features { get; } = new() { SeveralApps = true, NeedsTrees = false, InheritsLock = false, EndsWithHost = true };

    /// <summary>Exit codes by the name of the app, for apps without a function; 0 for the others.</summary>
    public IDictionary<string, int> ExitCodes { get; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Task<Stage1HostReport> ProbeAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult(new Stage1HostReport { Version = "in-memory" });

    /// <inheritdoc/>
    public Task<Stage1Process> StartAsync(Stage1Pod pod, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        cancellationToken.ThrowIfCancellationRequested();
        var running = new RunningPod(pod, _behaviour, ExitCodes);
        _running[pod.Uuid] = running;
        Task ended = EndAsync(pod.Uuid, running);
        return Task.FromResult(new Stage1Process(new Stage1ProcessId(0, 0, string.Empty), ended));
    }

    /// <inheritdoc/>
    public async Task StopAsync(Stage1Pod pod, Stage1ProcessId firstProcess, TimeSpan grace, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pod);
        if (_running.TryGetValue(pod.Uuid, out RunningPod? running))
        {
            await running.StopAsync(grace).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public Task CollectAsync(Stage1Pod pod, CancellationToken cancellationToken = default) => Task.CompletedTask;

    private async Task EndAsync(string uuid, RunningPod running)
    {
        await running.RunAsync().ConfigureAwait(false);
        _running.TryRemove(uuid, out _);
        running.Dispose();
    }

    private sealed class RunningPod(Stage1Pod pod, Func<InMemoryApp, CancellationToken, Task<int>>? behaviour, IDictionary<string, int> exitCodes) : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task RunAsync()
        {
            await Task.WhenAll(pod.Apps.Select(RunAppAsync)).ConfigureAwait(false);
            _ended.SetResult();
        }

        public async Task StopAsync(TimeSpan grace)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            TimeSpan time = grace < TimeSpan.Zero ? pod.Apps.Max(a => a.StopTimeout ?? StopAnnotations.DefaultTimeout) : grace;
            await Task.WhenAny(_ended.Task, Task.Delay(time)).ConfigureAwait(false);
            _killed.TrySetResult();
            await _ended.Task.ConfigureAwait(false);
        }

        public void Dispose() => _stop.Dispose();

        private async Task RunAppAsync(Stage1App app)
        {
            // The pod must be running before its first app can end.
            await Task.Yield();
            string status;
            try
            {
                Task<int> work = behaviour is null ? Task.FromResult(exitCodes.TryGetValue(app.Name.ToString(), out int code) ? code : 0) : CallAsync(app);
                await Task.WhenAny(work, _killed.Task).ConfigureAwait(false);
                status = work.IsCompleted ? $"exited {await work.ConfigureAwait(false)} done\n" : "killed KILL signal\n";
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                status = "killed TERM signal\n";
            }
            catch (Exception e)
            {
                await File.AppendAllTextAsync(pod.StandardErrorPath(app.Name), e + "\n").ConfigureAwait(false);
                status = "exited 255 exception\n";
            }

            string path = pod.StatusPath(app.Name);
            await File.WriteAllTextAsync(path + ".new", status).ConfigureAwait(false);
            File.Move(path + ".new", path, overwrite: true);
            StopOthersAfter(status);
        }

        private async Task<int> CallAsync(Stage1App app)
        {
            var output = new StreamWriter(pod.StandardOutputPath(app.Name), append: true) { AutoFlush = true };
            await using (output.ConfigureAwait(false))
            {
                var error = new StreamWriter(pod.StandardErrorPath(app.Name), append: true) { AutoFlush = true };
                await using (error.ConfigureAwait(false))
                {
                    return await behaviour!(new InMemoryApp(pod.Uuid, app.Name, app.App, output, error), _stop.Token).ConfigureAwait(false);
                }
            }
        }

        private void StopOthersAfter(string status)
        {
            bool failed = !status.StartsWith("exited 0 ", StringComparison.Ordinal);
            if (pod.Options.ExitPolicy == PodExitPolicy.AnyExit || (failed && pod.Options.ExitPolicy == PodExitPolicy.FirstFailure))
            {
                _stop.Cancel();
            }
        }
    }
}
