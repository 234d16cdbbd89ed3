using System.Text;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>A child that became its program, and its parent, which stays until it has recorded the child's end.</summary>
/// <param name="Keeper">The parent, a child of this process.</param>
/// <param name="Pid">Number of the child's process; that of somebody else if the child has ended.</param>
/// <param name="PidFd">The child; null if it has ended already. Whoever takes this record owns it.</param>
internal sealed record KeptProcess(LaunchedProcess Keeper, int Pid, SafeFileHandle? PidFd);

/// <summary>
/// A plan that runs as a program of its own of which the first process stays: it waits for its child and records how it
/// ended, so that nobody else has to be there.
/// </summary>
internal sealed unsafe partial class LaunchPlan
{
    private const int RecordLength = 32;
    private const int Statuses = 256;

    private int _parentAt = -1;

    /// <summary>Goes on in a child that is born into namespaces. The parent goes on with the steps that follow <see cref="BeginParent"/>.</summary>
    internal LaunchArgument ForkInto(string name, ulong namespaces)
    {
        LaunchStub.CloneArguments* clone = (LaunchStub.CloneArguments*)Allocate(sizeof(LaunchStub.CloneArguments));
        *clone = new LaunchStub.CloneArguments { Flags = namespaces, ExitSignal = (ulong)LibC.SIGCHLD };
        return Call(name, SystemCall.Clone3, (nint)clone, sizeof(LaunchStub.CloneArguments));
    }

    /// <summary>The steps that follow are the parent's, after <see cref="ForkInto"/>.</summary>
    internal void BeginParent() => _parentAt = _names.Count;

    /// <summary>Leaves no signal but those that nobody can block. The program of the plan's end has them all again.</summary>
    internal void BlockSignals()
    {
        const int SIG_SETMASK = 2;
        Add("block signals", SystemCall.SigProcMask, SIG_SETMASK, Bytes([255, 255, 255, 255, 255, 255, 255, 255]), 0, 8);
    }

    /// <summary>Tells the launching process that the child is there. Of the parent.</summary>
    internal void ReportChild(LaunchArgument child)
    {
        const string Name = "report the child";
        Add(Name, SystemCall.Write, ReportDescriptor, (nint)child.Cell, sizeof(nint));
        Close(Name, ReportDescriptor);
    }

    /// <summary>
    /// Waits for the child, writes how it ended into a file, which appears by rename, and exits. Of the parent, and its last steps.
    /// </summary>
    /// <param name="directory">Descriptor of the file's directory.</param>
    /// <param name="file">Name of the file.</param>
    /// <param name="describe">What to write for an end: at most 31 characters, padded with spaces.</param>
    internal void RecordEnd(int directory, string file, Func<ProcessEnd, string> describe)
    {
        const string Name = "record the end";
        const int P_ALL = 0;
        const int SEEK_SET = 0;
        const int SEEK_CUR = 1;

        // All that steps can do is call the kernel, so it does the arithmetic too: positions of a file are sums. Of each
        // line of the file there is one for each kind of end and status.
        (ProcessEndKind Kind, int Code)[] kinds = [(ProcessEndKind.Exited, Libc.CLD_EXITED), (ProcessEndKind.Killed, Libc.CLD_KILLED), (ProcessEndKind.Dumped, Libc.CLD_DUMPED)];
        byte[] table = new byte[kinds.Length * Statuses * RecordLength];
        foreach ((ProcessEndKind kind, int code) in kinds)
        {
            for (int status = 0; status < Statuses; status++)
            {
                string line = describe(new ProcessEnd(kind, status)).TrimEnd().PadRight(RecordLength - 1) + "\n";
                Encoding.ASCII.GetBytes(line, table.AsSpan((((code - 1) * Statuses) + status) * RecordLength, RecordLength));
            }
        }

        byte* information = Allocate(128);
        Add(Name, SystemCall.WaitId, P_ALL, 0, (nint)information, Libc.WEXITED, 0);
        LaunchArgument lines = Call(Name, SystemCall.MemfdCreate, Text("appc-ends"), LibC.MFD_CLOEXEC);
        Add(Name, SystemCall.PWrite64, lines, Bytes(table), table.Length, Statuses * RecordLength);

        // Both are 32 bits long, with nothing behind them.
        LaunchArgument code8 = LaunchArgument.FromCell((nint*)(information + 8));
        LaunchArgument status24 = LaunchArgument.FromCell((nint*)(information + 24));
        LaunchArgument position = Call(Name, SystemCall.LSeek, lines, code8, SEEK_SET);
        for (int factor = 1; factor < Statuses; factor *= 2)
        {
            position = Call(Name, SystemCall.LSeek, lines, position, SEEK_CUR);
        }

        position = Call(Name, SystemCall.LSeek, lines, status24, SEEK_CUR);
        for (int factor = 1; factor < RecordLength; factor *= 2)
        {
            position = Call(Name, SystemCall.LSeek, lines, position, SEEK_CUR);
        }

        byte* record = Allocate(RecordLength);
        Add(Name, SystemCall.Read, lines, (nint)record, RecordLength);
        nint temporary = Text($".{file}.new");
        LaunchArgument written = Call(
            Name, SystemCall.OpenAt, directory, temporary, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0x1a4);
        Add(Name, SystemCall.Write, written, (nint)record, RecordLength);
        Close(Name, written);
        Add(Name, SystemCall.RenameAt2, directory, temporary, directory, Text(file));
        Add(Name, SystemCall.ExitGroup);
    }

    /// <summary>
    /// Runs the plan as a program with no streams but these descriptors, and returns when the child has become the program
    /// at the end of its steps. Waits on the calling thread.
    /// </summary>
    /// <param name="passed">Descriptors, see <see cref="PassedDescriptor"/>.</param>
    /// <exception cref="Stage1.LaunchException">A step failed; nothing is left.</exception>
    internal KeptProcess StartKept(IReadOnlyList<int> passed)
    {
        using Pipe report = Pipe.Make(O_DIRECT);
        using SafeFileHandle program = WriteProgram();
        LaunchedProcess keeper;
        using (LaunchPlan plan = new(_subject, 0))
        {
            plan.CloseAllBut([(int)report.Writer.DangerousGetHandle(), (int)program.DangerousGetHandle(), .. passed]);
            LaunchArgument nothing = plan.Open("open /dev/null", "/dev/null", LibC.O_RDWR);
            plan.PassDescriptors([
                (nothing, 0), (nothing, 1), (nothing, 2),
                ((int)report.Writer.DangerousGetHandle(), ReportDescriptor),
                ((int)program.DangerousGetHandle(), ProgramDescriptor),
                .. passed.Select((d, i) => ((LaunchArgument)d, PassedDescriptor(i))),
            ]);
            plan.Add("execute the keeper", SystemCall.ExecveAt, ProgramDescriptor, plan.Text(""), plan.Texts([LaunchProgram.Keeper]), plan.Texts([]), AT_EMPTY_PATH);
            keeper = plan.Start();
        }

        report.Writer.Dispose();
        return FollowKept(keeper, report.Reader);
    }

    private KeptProcess FollowKept(LaunchedProcess keeper, SafeFileHandle report)
    {
        SafeFileHandle? child = null;
        try
        {
            nint* message = stackalloc nint[3];
            int pid = 0;
            while (true)
            {
                int length = ReadReport(report, (byte*)message, 3 * sizeof(nint), CancellationToken.None);
                if (length == 0)
                {
                    break;
                }

                if (length == sizeof(nint))
                {
                    pid = (int)message[0];
                    child = OpenChildOf(keeper.Pid, pid);
                    continue;
                }

                throw Failure(_names[(int)((LaunchStub.Step*)message[0] - _programSteps)], (int)message[2]);
            }

            return pid != 0 ? new KeptProcess(keeper, pid, child) : throw new Stage1.LaunchException("run the keeper", 0, $"{_subject}: its first process was killed");
        }
        catch
        {
            if (child is not null)
            {
                PidFd.Signal(child, LibC.SIGKILL);
                child.Dispose();
            }

            KillAndReap(keeper);
            throw;
        }
    }

    /// <summary>Opens the only child that a living or unreaped process ever has; null if it has ended.</summary>
    private static SafeFileHandle? OpenChildOf(int parent, int pid)
    {
        // The parent reaps it, and then the number is free. Who has the number after this was opened and is the parent's
        // child had it before.
        int descriptor = Libc.PidfdOpen(pid);
        if (descriptor < 0)
        {
            int errno = Errno.Last;
            return errno is 3 or Errno.EINVAL ? null : throw new ErrnoException("pidfd_open", errno);
        }

        SafeFileHandle child = new(descriptor, ownsHandle: true);
        if (ProcFs.Parent(pid) == parent)
        {
            return child;
        }

        child.Dispose();
        return null;
    }
}
