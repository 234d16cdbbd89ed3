using Appc.Linux;
using Appc.Stage1.Streams;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Nspawn;

/// <summary>Attaches to the input of an app in an nspawn pod.</summary>
internal sealed class NspawnAttach(InputAttacher inputs, TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    // So many looks in a row must find the terminal empty and the log unchanged.
    private const int QuietLooks = 5;

    internal Task<Stage1Attachment?> AttachAsync(Stage1Pod pod, Stage1ProcessId first, Stage1App app, CancellationToken cancellationToken)
    {
        PodPaths paths = new(pod);
        return app.Input switch
        {
            AppInput.Stream => inputs.OpenStreamAsync(
                pod, app.Name, first, Path.Combine(paths.Inputs, app.Name.ToString()), paths.HeldInput(app.Name), cancellationToken),
            AppInput.Terminal => Task.FromResult(AttachTerminal(pod, first, app)),
            _ => Task.FromResult<Stage1Attachment?>(null),
        };
    }

    /// <summary>The terminal is among the descriptors of systemd-nspawn, which no process of the pod can reach.</summary>
    private Stage1Attachment? AttachTerminal(Stage1Pod pod, Stage1ProcessId first, Stage1App app)
    {
        using SafeFileHandle? process = ProcessIdentity.TryOpen(first);
        SafeFileHandle? terminal = process is null || InputAttacher.HasEnded(pod, app.Name)
            ? null
            : PidFd.CopyDescriptor(process, first.Pid, link => link.EndsWith("/ptmx", StringComparison.Ordinal), InputAttacher.IsTerminal);
        return terminal is null ? null : inputs.ForTerminal(terminal, () => DrainAsync(terminal, pod.StandardOutputPath(app.Name), first));
    }

    /// <summary>Where other apps of the pod still run, systemd-nspawn may be a moment behind.</summary>
    private async Task DrainAsync(SafeFileHandle terminal, string log, Stage1ProcessId first)
    {
        long length = -1;
        for (int quiet = 0; quiet < QuietLooks && ProcessIdentity.IsAlive(first);)
        {
            await Task.Delay(Look, time).ConfigureAwait(false);
            long now = LengthOf(log);
            quiet = now == length && IsEmpty(terminal) ? quiet + 1 : 0;
            length = now;
        }
    }

    private static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private static unsafe bool IsEmpty(SafeFileHandle terminal)
    {
        const nuint FIONREAD = 0x541b;
        using HeldDescriptor? held = HeldDescriptor.TryTake(terminal);
        int waiting = 0;
        return held is null || Libc.ioctl(held.Number, FIONREAD, (nint)(&waiting)) < 0 || waiting == 0;
    }
}
