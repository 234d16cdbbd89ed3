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
    private readonly Lock _gate = new();
    private bool _stopped;

    private TerminalLog(DescriptorStream terminal, string log, string turn, Task ended)
    {
        Completed = MoveAsync(terminal, log, turn, ended, _closed.Token);

        // What was read is nowhere else: this process may not end between reading and writing.
        AppDomain.CurrentDomain.ProcessExit += Stop;
        _ = Completed.ContinueWith(
            _ => AppDomain.CurrentDomain.ProcessExit -= Stop, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

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

    private async Task MoveAsync(DescriptorStream terminal, string log, string turn, Task ended, CancellationToken closed)
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

    private async Task MoveAsync(DescriptorStream terminal, SafeFileHandle file, Task ended, CancellationToken closed)
    {
        byte[] buffer = new byte[16 * 1024];
        long length = RandomAccess.GetLength(file);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(closed);
        _ = ended.ContinueWith(static (_, source) => CancelAfterRest((CancellationTokenSource)source!), over, closed, TaskContinuationOptions.None, TaskScheduler.Default);
        while (!closed.IsCancellationRequested)
        {
            // Before the look: what was written before the end is then found by it.
            bool hasEnded = ended.IsCompleted;
            int moved = Move(terminal, file, buffer, length);
            if (moved > 0)
            {
                length += moved;
            }
            else if (moved == 0)
            {
                // Nobody has the other side open: for ever if the app has ended, else it may be opened again.
                if (hasEnded)
                {
                    return;
                }

                await Task.WhenAny(ended, Task.Delay(Turn, closed)).ConfigureAwait(false);
            }
            else
            {
                try
                {
                    await terminal.WaitUntilReadableAsync(over.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!closed.IsCancellationRequested)
                {
                    // Somebody else has the terminal still open, and the app has not.
                    return;
                }
            }
        }

        closed.ThrowIfCancellationRequested();
    }

    /// <summary>Moves what is there: the number of bytes, 0 at the end, -1 if there is nothing now.</summary>
    private int Move(DescriptorStream terminal, SafeFileHandle file, byte[] buffer, long length)
    {
        lock (_gate)
        {
            int read = _stopped ? -1 : terminal.TryRead(buffer);
            if (read > 0)
            {
                RandomAccess.Write(file, buffer.AsSpan(0, read), length);
            }

            return read;
        }
    }

    private void Stop(object? sender, EventArgs arguments)
    {
        lock (_gate)
        {
            _stopped = true;
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
