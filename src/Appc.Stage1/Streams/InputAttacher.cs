using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Streams;

/// <summary>Opens inputs of apps that run, for whoever attaches.</summary>
internal sealed class InputAttacher
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>What waits for streams. Its thread ends when nothing is left to wait for; it outlives the flavour, as pods do.</summary>
    internal EpollLoop Streams { get; } = new("appc streams");

    /// <summary>Opens an input that is a stream; null if it has ended.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="app">The app.</param>
    /// <param name="holder">The process that inherited the hold.</param>
    /// <param name="fifo">The FIFO.</param>
    /// <param name="record">Where the hold is recorded.</param>
    /// <param name="cancellationToken">Cancels the wait for an app that is just being started.</param>
    /// <exception cref="LaunchException">The app does not read its input.</exception>
    internal async Task<Stage1Attachment?> OpenStreamAsync(
        Stage1Pod pod, AcName app, Stage1ProcessId holder, string fifo, string record, CancellationToken cancellationToken)
    {
        using SafeFileHandle? process = ProcessIdentity.TryOpen(holder);
        SafeFileHandle? held = process is null ? null : FindHeld(process, holder.Pid, record);
        if (held is null)
        {
            return null;
        }

        try
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Patience);
            while (HeldInput.Holds(held) && !HasEnded(pod, app) && ProcessIdentity.IsAlive(holder))
            {
                if (InputStreamFile.IsReplaced(fifo))
                {
                    // Whoever ended it was killed in between.
                    HeldInput.Release(held);
                    return null;
                }

                // Nobody reads there until the app's first process was made.
                if (InputStreamFile.TryOpenWriter(fifo) is { } writer)
                {
                    SafeFileHandle socket = held;
                    held = null;
                    return new Stage1Attachment
                    {
                        Input = new DescriptorStream(writer, Streams, writes: true),
                        CloseInput = () => Close(socket, fifo),
                        Release = socket.Dispose,
                    };
                }

                await Task.Delay(Look, limit.Token).ConfigureAwait(false);
            }

            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LaunchException("open the input", 0, $"pod {pod.Uuid}: the app {app} does not read its standard input: it was not started yet, or has closed it", "Attach without the input to see the output.");
        }
        finally
        {
            held?.Dispose();
        }
    }

    /// <summary>The terminal of which this is one side.</summary>
    /// <param name="master">This side of it; taken over.</param>
    /// <param name="drainAsync">See <see cref="Stage1Attachment.DrainAsync"/>.</param>
    /// <param name="release">See <see cref="Stage1Attachment.Release"/>.</param>
    internal Stage1Attachment ForTerminal(SafeFileHandle master, Func<Task> drainAsync, Action? release = null) => new()
    {
        Input = new DescriptorStream(master, Streams, writes: true),
        Resize = size => Terminal.Resize(master, size.Columns, size.Rows),
        DrainAsync = drainAsync,
        Release = release,
    };

    /// <summary>Whether an app's end is recorded. In a mutable pod the status of one that runs is there, too, and empty.</summary>
    internal static bool HasEnded(Stage1Pod pod, AcName app) => PodFiles.ReadStatus(pod.Directory, app) is not null;

    /// <summary>The socket that holds an app's input, from a process that inherited it; null if there is none any more.</summary>
    internal static SafeFileHandle? FindHeld(SafeFileHandle process, int pid, string record)
    {
        try
        {
            return ulong.TryParse(File.ReadAllText(record), NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode) ? HeldInput.Find(process, pid, inode) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whether a file is this side of a terminal: the pod may have put anything in its place.</summary>
    internal static bool IsTerminal(Libc.Statx stat) => stat.Type == Libc.S_IFCHR && stat is { RdevMajor: 5, RdevMinor: 2 };

    /// <inheritdoc cref="IsTerminal(Libc.Statx)"/>
    internal static bool IsTerminal(SafeFileHandle file) => Libc.StatFd((int)file.DangerousGetHandle(), out Libc.Statx stat) == 0 && IsTerminal(stat);

    private static void Close(SafeFileHandle socket, string fifo)
    {
        using HeldDescriptor? held = HeldDescriptor.TryTake(socket);
        if (held is not null && HeldInput.Holds(socket))
        {
            // In this order: a second try can be made if this process is killed in between.
            InputStreamFile.Replace(fifo);
            HeldInput.Release(socket);
        }
    }
}
