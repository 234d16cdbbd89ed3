using Appc.Stage1;

namespace Appc.Linux;

/// <summary>Waits for the end of processes that need not be children of this one.</summary>
internal sealed class ProcessWatcher : IDisposable
{
    private readonly ProcessReaper _reaper = new();

    /// <summary>Returns when the process has ended; at once if it has already.</summary>
    public Task WaitForEndAsync(Stage1ProcessId process, CancellationToken cancellationToken) =>
        _reaper.WaitAsync(process.Pid, process.StartTime).WaitAsync(cancellationToken);

    public void Dispose() => _reaper.Dispose();
}
