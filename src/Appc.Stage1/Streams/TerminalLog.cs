using Appc.Linux;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Streams;

/// <summary>
/// Moves what an app writes to its terminal to its log file, where nobody in the pod does that: for as long as this process
/// and the app live, or until it is disposed. Of all who do so for an app one at a time moves, the others wait for their turn.
/// </summary>
internal sealed class TerminalLog : IDisposable
{
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(50);

    // How long what an ended app has left in the terminal may take to be read: it is there already.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _closed = new();

    private TerminalLog(DescriptorStream terminal, string log, string turn, Task ended) => Completed = MoveAsync(terminal, log, turn, ended, _closed.Token);

    /// <summary>Ends when the app has ended and all that it wrote is in the log. Fails if it cannot be written there.</summary>
    internal Task Completed { get; }

    /// <param name="terminal">This side of the terminal; taken over.</param>
    /// <param name="streams">Waits for it.</param>
    /// <param name="log">The log file.</param>
    /// <param name="turn">The file by whose lock turns are taken.</param>
    /// <param name="ended">Ends with the app.</param>
    internal static TerminalLog Begin(SafeFileHandle terminal, EpollLoop streams, string log, string turn, Task ended) =>
        new(new DescriptorStream(terminal, streams, writes: false), log, turn, ended);

    public void Dispose()
    {
        _closed.Cancel();
        _ = Completed.ContinueWith(static (task, source) =>
        {
            _ = task.Exception;
            ((CancellationTokenSource)source!).Dispose();
        }, _closed, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private static async Task MoveAsync(DescriptorStream terminal, string log, string turn, Task ended, CancellationToken closed)
    {
        await using (terminal.ConfigureAwait(false))
        using (SafeFileHandle file = File.OpenHandle(log, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            LockFile? mine;
            while ((mine = LockFile.TryExclusive(turn, create: true)) is null)
            {
                await Task.Delay(Turn, closed).ConfigureAwait(false);
            }

            using (mine)
            {
                await MoveAsync(terminal, file, ended, closed).ConfigureAwait(false);
            }
        }
    }

    private static async Task MoveAsync(DescriptorStream terminal, SafeFileHandle file, Task ended, CancellationToken closed)
    {
        byte[] buffer = new byte[16 * 1024];
        long length = RandomAccess.GetLength(file);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(closed);
        _ = ended.ContinueWith(static (_, source) => CancelAfterRest((CancellationTokenSource)source!), over, closed, TaskContinuationOptions.None, TaskScheduler.Default);
        while (true)
        {
            int read;
            try
            {
                read = await terminal.ReadAsync(buffer, over.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!closed.IsCancellationRequested)
            {
                // Somebody else has the terminal still open, and the app has not.
                return;
            }

            if (read > 0)
            {
                // Not to be cancelled: what was read is nowhere else.
                await RandomAccess.WriteAsync(file, buffer.AsMemory(0, read), length, CancellationToken.None).ConfigureAwait(false);
                length += read;
                continue;
            }

            // Nobody has the other side open: for ever if the app has ended, else it may be opened again.
            if (ended.IsCompleted)
            {
                return;
            }

            await Task.WhenAny(ended, Task.Delay(Turn, closed)).ConfigureAwait(false);
            closed.ThrowIfCancellationRequested();
        }
    }

    private static void CancelAfterRest(CancellationTokenSource over)
    {
        try
        {
            over.CancelAfter(Rest);
        }
        catch (ObjectDisposedException)
        {
            // All was read before.
        }
    }
}
