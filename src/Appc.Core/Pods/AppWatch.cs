namespace Appc.Pods;

/// <summary>Knows when an app has ended, and wakes those who wait for its log files to grow.</summary>
internal sealed class AppWatch : IAsyncDisposable
{
    private const int Looks = 40;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(25);

    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private readonly DirectoryChanges _logs;
    private Task? _change;
    private int _disposed;

    /// <param name="directory">The pod's directory.</param>
    /// <param name="unknown">The app, with what is told where nobody knows how it ended.</param>
    /// <param name="look">Looks at the pod.</param>
    /// <param name="waitAsync">Waits for the pod's end.</param>
    /// <param name="drainAsync">Waits, after the app's end, until all that it wrote is in its log.</param>
    public AppWatch(string directory, AppStatus unknown, Func<PodStatus> look, Func<CancellationToken, Task<PodStatus>> waitAsync, Func<Task>? drainAsync)
    {
        _logs = new DirectoryChanges(Path.Combine(directory, "logs"));
        Ended = WatchAsync(Path.Combine(directory, "status"), unknown, look, waitAsync, drainAsync, _closed.Token);
    }

    /// <summary>The app's end; nothing is written to its logs afterwards.</summary>
    public Task<AppStatus> Ended { get; }

    /// <summary>
    /// Ends when the logs may have changed, or the app has ended. Asked for before the logs are looked at, nothing is missed. Everybody who waits has
    /// the same one.
    /// </summary>
    public Task NextChange()
    {
        lock (_gate)
        {
            return _change is null || _change.IsCompleted
                ? _change = Ended.IsCompleted ? Task.CompletedTask : Task.WhenAny(Ended, _logs.WaitAsync(_closed.Token))
                : _change;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _closed.CancelAsync().ConfigureAwait(false);
        await ((Task)Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await (_change ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _logs.Dispose();
        _closed.Dispose();
    }

    private static async Task<AppStatus> WatchAsync(
        string statuses, AppStatus unknown, Func<PodStatus> look, Func<CancellationToken, Task<PodStatus>> waitAsync, Func<Task>? drainAsync, CancellationToken closed)
    {
        // Watched before it is looked at, so that nothing is missed in between.
        using DirectoryChanges changes = new(statuses);
        Task<PodStatus> podEnd = waitAsync(closed);
        AppStatus? last = null;
        while (true)
        {
            // A pod that removes itself is gone when its end is known; who waited for that was told its statuses.
            bool over = podEnd.IsCompleted;
            PodStatus pod = over ? await podEnd.ConfigureAwait(false) : look();
            AppStatus? found = pod.Apps.FirstOrDefault(a => a.Name == unknown.Name);
            last = found ?? last;
            if (over || pod.HasEnded || found?.State is AppState.Exited or AppState.Unknown)
            {
                break;
            }

            await Task.WhenAny(podEnd, changes.WaitAsync(closed)).ConfigureAwait(false);
            closed.ThrowIfCancellationRequested();
        }

        if (drainAsync is not null)
        {
            await drainAsync().WaitAsync(closed).ConfigureAwait(false);
        }

        // Who records the end may be a moment behind those who see it.
        for (int i = 0; i < Looks && last?.State != AppState.Exited && look() is { State: not PodState.Gone } now; i++)
        {
            last = now.Apps.FirstOrDefault(a => a.Name == unknown.Name);
            await Task.Delay(Look, closed).ConfigureAwait(false);
        }

        return last is { State: AppState.Exited } ? last : unknown;
    }
}
