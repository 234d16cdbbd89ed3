using Appc.Linux;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Exec;

/// <summary>Starts commands in apps and connects their streams.</summary>
internal sealed class ExecLauncher : IDisposable
{
    private readonly EpollLoop _streams = new("appc streams");
    private readonly ProcessReaper _reaper = new();

    /// <summary>Starts a command; on a thread of its own, since a pod can make its own mounts slow.</summary>
    internal Task<Stage1Exec> StartAsync(ExecRequest request, ExecTarget target, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(() => StartIfRunning(request, target, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public void Dispose()
    {
        _streams.Dispose();
        _reaper.Dispose();
    }

    private Stage1Exec StartIfRunning(ExecRequest request, ExecTarget target, CancellationToken cancellationToken)
    {
        try
        {
            return Start(request, target, cancellationToken);
        }
        catch (LaunchException e) when (ExecPlan.HasLostTarget(e))
        {
            throw ExecTarget.Ended(request.Subject);
        }
    }

    private Stage1Exec Start(ExecRequest request, ExecTarget target, CancellationToken cancellationToken)
    {
        using LaunchPlan plan = ExecPlan.Build(request, target);
        if (request.Command.Terminal is { } size)
        {
            using Terminal terminal = Terminal.Open(size.Columns, size.Rows);
            terminal.GiveTo(request.HostUid);
            int slave = (int)terminal.Slave.DangerousGetHandle();
            LaunchedProcess process = plan.StartProgram([slave, slave, slave], [(int)target.PidFd.DangerousGetHandle()], cancellationToken);
            SafeFileHandle master = terminal.DuplicateMaster();
            return Connect(process, terminal.DuplicateMaster(), master, null, s => Terminal.Resize(master, s.Columns, s.Rows));
        }

        using Pipe input = Pipe.Make();
        using Pipe output = Pipe.Make();
        using Pipe error = Pipe.Make();
        LaunchedProcess piped = plan.StartProgram(
            [(int)input.Reader.DangerousGetHandle(), (int)output.Writer.DangerousGetHandle(), (int)error.Writer.DangerousGetHandle()],
            [(int)target.PidFd.DangerousGetHandle()],
            cancellationToken);
        return Connect(piped, input.TakeWriter(), output.TakeReader(), error.TakeReader(), null);
    }

    private Stage1Exec Connect(LaunchedProcess process, SafeFileHandle input, SafeFileHandle output, SafeFileHandle? error, Action<TerminalSize>? resize)
    {
        Task<ProcessEnd> end = _reaper.Adopt(process, out _);
        SafeFileHandle pidfd = process.PidFd;
        return new Stage1Exec
        {
            Pid = process.Pid,
            StandardInput = new DescriptorStream(input, _streams, writes: true),
            StandardOutput = new DescriptorStream(output, _streams, writes: false),
            StandardError = error is null ? null : new DescriptorStream(error, _streams, writes: false),
            Ended = DescribeAsync(end),
            Signal = signal => SendTo(pidfd, signal),
            Resize = resize,
        };
    }

    private static void SendTo(SafeFileHandle pidfd, int signal)
    {
        // None if it has ended and was reaped.
        using HeldDescriptor? held = HeldDescriptor.TryTake(pidfd);
        if (held is not null)
        {
            PidFd.Signal(pidfd, signal);
        }
    }

    private static async Task<Stage1Exit> DescribeAsync(Task<ProcessEnd> ended)
    {
        ProcessEnd end = await ended.ConfigureAwait(false);
        return end.Kind switch
        {
            ProcessEndKind.Exited => new Stage1Exit(end.Value, null),
            ProcessEndKind.Gone => new Stage1Exit(null, null),
            _ => new Stage1Exit(null, end.Value),
        };
    }
}
