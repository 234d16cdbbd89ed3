using Appc.Stage1;

namespace Appc.Linux;

/// <summary>Waits for the end of processes that need not be children of this one.</summary>
internal sealed class ProcessWatcher : IDisposable
{
    public static async Task WaitForEndAsync(Stage1ProcessId process, CancellationToken cancellationToken)
    {
        while (ProcessIdentity.IsAlive(process))
        {
            await Task.Delay(5, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
    }
}
