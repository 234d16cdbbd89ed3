using System.Runtime.InteropServices;
using Appc.Stage1;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>A plan that runs as a program of its own, see <see cref="LaunchProgram"/>.</summary>
internal sealed unsafe partial class LaunchPlan
{
    /// <summary>
    /// The descriptor on which the program reports; the plan must set it close-on-exec and keep it to the end. Beyond those
    /// that programs are handed: an app of a fly pod has its input's hold as 98 and the pod's lock as 99.
    /// </summary>
    internal const int ReportDescriptor = 97;

    private const int ProgramDescriptor = 4;
    private const int FirstPassedDescriptor = 5;
    private const int O_DIRECT = 0x4000;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Where the descriptor at this place of the list given to <see cref="StartProgram"/> is in the program.</summary>
    internal static int PassedDescriptor(int index) => FirstPassedDescriptor + index;

    /// <summary>Nobody but the host's root may trace the program from here on, whatever identity it takes.</summary>
    internal void ForbidTracing() => Add("forbid tracing", SystemCall.Prctl, Libc.PR_SET_DUMPABLE, 0);

    /// <summary>
    /// Goes on in a child, which is the host's as this process is: needed to be in a process namespace that was entered.
    /// </summary>
    internal void Fork(string name)
    {
        LaunchStub.CloneArguments* clone = (LaunchStub.CloneArguments*)Allocate(sizeof(LaunchStub.CloneArguments));
        *clone = new LaunchStub.CloneArguments { Flags = Libc.CLONE_PARENT };
        Call(name, SystemCall.Clone3, (nint)clone, sizeof(LaunchStub.CloneArguments));
    }

    /// <summary>Closes what a program needs no more, but for its streams and the report.</summary>
    internal void KeepStreamsOnly()
    {
        CloseAllBut(0, 1, 2, ReportDescriptor);
        CloseReportOnExecution();
    }

    private void CloseReportOnExecution() => Add("close descriptors", SystemCall.Fcntl, ReportDescriptor, Libc.F_SETFD, Libc.FD_CLOEXEC);

    /// <summary>
    /// Runs the plan as a program with these descriptors, and returns when its last child, made by <see cref="Fork"/>,
    /// has become the program of the plan's end. Waits on the calling thread.
    /// </summary>
    /// <param name="streams">Descriptors 0, 1 and 2 of the program.</param>
    /// <param name="passed">More descriptors, see <see cref="PassedDescriptor"/>.</param>
    /// <param name="cancellationToken">Kills what was begun.</param>
    /// <exception cref="LaunchException">A step failed; nothing is left.</exception>
    internal LaunchedProcess StartProgram(IReadOnlyList<int> streams, IReadOnlyList<int> passed, CancellationToken cancellationToken)
    {
        using Pipe report = Pipe.Make(O_DIRECT);
        using SafeFileHandle program = WriteProgram();
        LaunchedProcess first;
        using (LaunchPlan plan = new(_subject, 0) { CGroup = CGroup })
        {
            plan.PassDescriptors([
                .. streams.Select((d, i) => ((LaunchArgument)d, i)),
                ((int)report.Writer.DangerousGetHandle(), ReportDescriptor),
                ((int)program.DangerousGetHandle(), ProgramDescriptor),
                .. passed.Select((d, i) => ((LaunchArgument)d, PassedDescriptor(i))),
            ]);
            const int AT_EMPTY_PATH = 0x1000;
            nint nothing = plan.Texts([]);
            plan.Add("execute the launcher", SystemCall.ExecveAt, ProgramDescriptor, plan.Text(""), plan.Texts(["appc"]), nothing, AT_EMPTY_PATH);

            // A child that is born into a group that is frozen just then does not come to its first step, and this thread waits for it.
            using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static begun => ((LaunchPlan)begun!).KillChild(), plan);
            first = plan.Start();
        }

        report.Writer.Dispose();
        return Follow(first, report.Reader, cancellationToken);
    }

    /// <summary>Ends the child that another thread has just begun, or is about to begin, to wait for in <see cref="Start"/>.</summary>
    private void KillChild() => SpinWait.SpinUntil(
        () =>
        {
            // Once the wait is over the number may be another descriptor's.
            lock (_waiting)
            {
                return _waited || (_child is not null && ChildDescriptor >= 0 && Libc.PidfdSendSignal(ChildDescriptor, LibC.SIGKILL) == 0);
            }
        },
        Look);

    private SafeFileHandle WriteProgram()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        LaunchStub.Step* steps = (LaunchStub.Step*)_arena!.Allocate(_names.Count * sizeof(LaunchStub.Step));
        new ReadOnlySpan<LaunchStub.Step>(_steps, _names.Count).CopyTo(new Span<LaunchStub.Step>(steps, _names.Count));
        LaunchStub.Header* header = (LaunchStub.Header*)_arena.Allocate(sizeof(LaunchStub.Header));
        LaunchStub.Step* end = steps + _names.Count;
        LaunchStub.Step* parent = _parentAt < 0 ? null : steps + _parentAt;
        *header = new LaunchStub.Header
        {
            Step = steps,
            End = parent is null ? end : parent,
            AllSignals = ReportDescriptor,
            SavedSignals = (ulong)parent,
            ParentEnd = end,
        };
        NativeMemory.Free(_steps);
        _steps = null;
        _programSteps = steps;
        return LaunchProgram.WriteTo(_arena, header, _parentAt < 0 ? LaunchProgram.Enter : LaunchProgram.Keeper);
    }

    private LaunchStub.Step* _programSteps;

    /// <summary>Reads the reports of the first process and its child until the end of both says that all went well.</summary>
    private LaunchedProcess Follow(LaunchedProcess first, SafeFileHandle report, CancellationToken cancellationToken)
    {
        LaunchedProcess? child = null;
        LaunchException? failure = null;
        bool reaped = false;
        try
        {
            nint* message = stackalloc nint[3];
            while (true)
            {
                int length = ReadReport(report, (byte*)message, 3 * sizeof(nint), cancellationToken);
                if (length == 0)
                {
                    break;
                }

                if (length == sizeof(nint))
                {
                    // Not reaped yet, so the number is the child's.
                    child = new LaunchedProcess((int)message[0], PidFd.OpenChild((int)message[0]));
                    continue;
                }

                int errno = (int)message[2];
                failure = Failure(_names[(int)((LaunchStub.Step*)message[0] - _programSteps)], errno);
            }

            reaped = true;
            Reap(first.PidFd);
            return failure is null && child is not null
                ? child
                : throw failure ?? new LaunchException("run the launcher", 0, $"{_subject}: the process that was to enter the pod was killed");
        }
        catch
        {
            if (!reaped)
            {
                KillAndReap(first);
            }

            if (child is not null)
            {
                KillAndReap(child);
            }

            throw;
        }
    }

    /// <summary>Ends a child of which nobody would ever know the end.</summary>
    internal static void KillAndReap(LaunchedProcess process)
    {
        PidFd.Signal(process.PidFd, LibC.SIGKILL);
        Reap(process.PidFd);
        process.PidFd.Dispose();
    }

    private static int ReadReport(SafeFileHandle report, byte* buffer, int size, CancellationToken cancellationToken)
    {
        int descriptor = (int)report.DangerousGetHandle();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            pollfd poll = new() { fd = descriptor, events = (short)LibC.POLLIN };
            if (LibC.poll(&poll, 1, (int)Look.TotalMilliseconds) > 0)
            {
                nint length = Libc.read(descriptor, buffer, (nuint)size);
                if (length >= 0)
                {
                    return (int)length;
                }
            }
        }
    }
}
