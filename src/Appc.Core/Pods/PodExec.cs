using System.Text;
using Appc.Stage1;

namespace Appc.Pods;

/// <summary>A command that runs in an app, with its streams. Disposing it kills the command if it still runs.</summary>
public sealed class PodExec : IAsyncDisposable
{
    private const int Kill = 9;

    private readonly Stage1Exec _exec;

    internal PodExec(Stage1Exec exec) => _exec = exec;

    /// <summary>Its process id in the namespace of this process.</summary>
    public int Pid => _exec.Pid;

    /// <summary>Takes what the command reads. Disposing it is the end of its input.</summary>
    public Stream StandardInput => _exec.StandardInput;

    /// <summary>Gives what the command writes. It must be read: a full pipe makes the command wait.</summary>
    public Stream StandardOutput => _exec.StandardOutput;

    /// <summary>Gives what the command writes to its standard error; null with a terminal, which has one output only.</summary>
    public Stream? StandardError => _exec.StandardError;

    /// <summary>Waits for its end, not for that of its output.</summary>
    /// <param name="cancellationToken">Cancels the wait; the command goes on.</param>
    public async Task<ExecResult> WaitAsync(CancellationToken cancellationToken = default)
    {
        Stage1Exit exit = await _exec.Ended.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new ExecResult { ExitCode = exit.ExitCode ?? 128 + (exit.Signal ?? Kill), Signal = exit.Signal };
    }

    /// <summary>Ends its input, collects what it writes, as UTF-8, and waits for its end.</summary>
    /// <param name="limit">The most bytes of each output that are kept; what follows is dropped. Default: 16 MiB.</param>
    /// <param name="cancellationToken">Cancels the wait; the command goes on.</param>
    public async Task<ExecResult> ReadToEndAsync(int limit = 16 << 20, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        if (StandardError is not null)
        {
            await StandardInput.DisposeAsync().ConfigureAwait(false);
        }

        Task<string> output = CollectAsync(StandardOutput, limit, cancellationToken);
        Task<string> error = StandardError is null ? Task.FromResult(string.Empty) : CollectAsync(StandardError, limit, cancellationToken);
        await Task.WhenAll(output, error).ConfigureAwait(false);
        ExecResult result = await WaitAsync(cancellationToken).ConfigureAwait(false);
        return result with { StandardOutput = await output.ConfigureAwait(false), StandardError = await error.ConfigureAwait(false) };
    }

    /// <summary>Sends a signal by its number; does nothing if the command has ended.</summary>
    public void Signal(int signal) => _exec.Signal(signal);

    /// <summary>Changes the size of its terminal; does nothing without one.</summary>
    public void Resize(TerminalSize size)
    {
        ArgumentNullException.ThrowIfNull(size);
        _exec.Resize?.Invoke(size);
    }

    /// <summary>Kills the command if it still runs, and lets its streams go.</summary>
    public async ValueTask DisposeAsync()
    {
        // Its end is not waited for: a process of the pod that traces it could hold that up.
        _exec.Signal(Kill);
        await StandardInput.DisposeAsync().ConfigureAwait(false);
        await StandardOutput.DisposeAsync().ConfigureAwait(false);
        if (StandardError is not null)
        {
            await StandardError.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<string> CollectAsync(Stream stream, int limit, CancellationToken cancellationToken)
    {
        using MemoryStream kept = new();
        byte[] buffer = new byte[16 * 1024];
        int length;
        while ((length = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            kept.Write(buffer, 0, (int)Math.Min(length, limit - kept.Length));
        }

        return Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length);
    }
}
