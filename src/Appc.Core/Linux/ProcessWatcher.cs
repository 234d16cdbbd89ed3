using Appc.Stage1;

namespace Appc.Linux;

/// <summary>Waits for the end of processes that need not be children of this one: one thread for all of them, no polling.</summary>
internal sealed class ProcessWatcher(EpollLoop loop) : IDisposable
{
    private readonly ProcessReaper _reaper = new(loop);

    /// <summary>Returns when the process has ended; at once if it has already, or its number belongs to another one.</summary>
    public Task WaitForEndAsync(Stage1ProcessId process, CancellationToken cancellationToken) =>
        ProcessIdentity.IsAlive(process)
            ? _reaper.WaitAsync(process.Pid, process.StartTime, cancellationToken)
            : Task.CompletedTask;

    public void Dispose() => _reaper.Dispose();
}
