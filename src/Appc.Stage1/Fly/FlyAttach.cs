using Appc.Linux;
using Appc.Stage1.Streams;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Fly;

/// <summary>Attaches to the input of a fly pod's app.</summary>
internal sealed class FlyAttach(InputAttacher inputs, ProcessReaper reaper)
{
    internal Task<Stage1Attachment?> AttachAsync(Stage1Pod pod, Stage1ProcessId first, Stage1App app, CancellationToken cancellationToken) => app.Input switch
    {
        AppInput.Stream => inputs.OpenStreamAsync(
            pod, app.Name, first, FlyStreams.InputPath(pod, app.Name), FlyStreams.RecordPath(pod, app.Name), cancellationToken),
        AppInput.Terminal => Task.FromResult(AttachTerminal(pod, first, app)),
        _ => Task.FromResult<Stage1Attachment?>(null),
    };

    /// <summary>Begins to log what the app writes to its terminal.</summary>
    internal TerminalLog Log(SafeFileHandle terminal, Stage1Pod pod, Stage1App app, Task ended) =>
        TerminalLog.Begin(terminal, inputs.Streams, pod.StandardOutputPath(app.Name), FlyStreams.TurnPath(pod, app.Name), ended);

    private Stage1Attachment? AttachTerminal(Stage1Pod pod, Stage1ProcessId first, Stage1App app)
    {
        using SafeFileHandle? process = ProcessIdentity.TryOpen(first);
        using SafeFileHandle? held = process is null ? null : InputAttacher.FindHeld(process, first.Pid, FlyStreams.RecordPath(pod, app.Name));
        SafeFileHandle? terminal = held is null ? null : HeldInput.Peek(held);
        if (terminal is null)
        {
            return null;
        }

        SafeFileHandle? read = null;
        try
        {
            // The socket is the app's, and so it may have put something else there.
            read = InputAttacher.IsTerminal(terminal) ? HeldInput.Peek(held!) : null;
            if (read is null || !InputAttacher.IsTerminal(read))
            {
                throw new LaunchException("open the terminal", 0, $"pod {pod.Uuid}: the app {app.Name} has taken its terminal away", "See its logs for what it wrote.");
            }

            CancellationTokenSource released = new();
            TerminalLog log = Log(read, pod, app, reaper.WaitAsync(first.Pid, first.StartTime, released.Token));
            read = null;
            return inputs.ForTerminal(terminal, () => DrainAsync(log), () => Release(log, released));
        }
        catch
        {
            terminal.Dispose();
            read?.Dispose();
            throw;
        }
    }

    private static async Task DrainAsync(TerminalLog log)
    {
        try
        {
            await log.Completed.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk, or a pod that was removed: what could be logged was.
        }
    }

    private static void Release(TerminalLog log, CancellationTokenSource released)
    {
        log.Dispose();
        released.Cancel();
        released.Dispose();
    }
}
