using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Steps about identity, privileges, descriptors and the program.</summary>
internal sealed unsafe partial class LaunchPlan
{
    private const int F_DUPFD = 0;

    // Beyond all at which a program is handed something.
    private const int FirstSpareDescriptor = 100;

    /// <summary>setns(2): enters the namespace of a descriptor.</summary>
    internal void EnterNamespace(string name, LaunchArgument descriptor, int type) =>
        Add(name, SystemCall.SetNs, descriptor, type);

    /// <summary>unshare(2): namespaces that begin in the middle of the plan.</summary>
    internal void Unshare(string name, int flags) => Add(name, SystemCall.Unshare, flags);

    /// <summary>Names the machine in the child's UTS namespace.</summary>
    internal void SetHostName(string hostname)
    {
        nint text = Text(hostname);
        int length = 0;
        while (((byte*)text)[length] != 0)
        {
            length++;
        }

        Add("set the host name", SystemCall.SetHostName, text, length);
    }

    /// <summary>Takes every capability that is not in the set from the bounding set, for ever.</summary>
    /// <param name="keep">Bit N stands for capability number N.</param>
    /// <param name="last">The highest capability of the running kernel.</param>
    internal void LimitCapabilities(ulong keep, int last)
    {
        for (int capability = 0; capability <= last; capability++)
        {
            if ((keep & (1UL << capability)) == 0)
            {
                Add("drop capabilities", SystemCall.Prctl, Libc.PR_CAPBSET_DROP, capability);
            }
        }
    }

    /// <summary>Sets the three sets of the child, which must be within what it has.</summary>
    internal void SetCapabilities(ulong permitted, ulong inheritable)
    {
        const uint Version3 = 0x20080522;
        ReadOnlySpan<uint> header = [Version3, 0];
        ReadOnlySpan<uint> data =
        [
            (uint)permitted, (uint)permitted, (uint)inheritable,
            (uint)(permitted >> 32), (uint)(permitted >> 32), (uint)(inheritable >> 32),
        ];
        Add("set capabilities", SystemCall.CapSet, Bytes(MemoryMarshal.AsBytes(header)), Bytes(MemoryMarshal.AsBytes(data)));
    }

    /// <summary>Forgets ambient capabilities that the host process may have.</summary>
    internal void ClearAmbientCapabilities() =>
        Add("clear ambient capabilities", SystemCall.Prctl, Libc.PR_CAP_AMBIENT, Libc.PR_CAP_AMBIENT_CLEAR_ALL);

    /// <summary>Makes permitted and inheritable capabilities survive the execution of a program by a user who is not root.</summary>
    internal void RaiseAmbientCapabilities(ulong set)
    {
        for (int capability = 0; capability < 64; capability++)
        {
            if ((set & (1UL << capability)) != 0)
            {
                Add("raise ambient capabilities", SystemCall.Prctl, Libc.PR_CAP_AMBIENT, Libc.PR_CAP_AMBIENT_RAISE, capability);
            }
        }
    }

    /// <summary>Lets permitted capabilities survive the change of the user id that follows.</summary>
    internal void KeepCapabilities() => Add("keep capabilities", SystemCall.Prctl, Libc.PR_SET_KEEPCAPS, 1);

    /// <summary>Becomes a user: supplementary groups, group, user, in this order.</summary>
    internal void SetIdentity(uint uid, uint gid, IReadOnlyList<uint> groups)
    {
        uint[] list = [.. groups];
        Add("set the supplementary groups", SystemCall.SetGroups, list.Length, Bytes(MemoryMarshal.AsBytes(list.AsSpan())));
        Add("set the group", SystemCall.SetResGid, gid, gid, gid);
        Add("set the user", SystemCall.SetResUid, uid, uid, uid);
        ChangesIdentity = true;
    }

    /// <summary>Programs that are executed from here on gain no privileges from set-id bits or file capabilities.</summary>
    internal void NoNewPrivileges() => Add("set no-new-privileges", SystemCall.Prctl, Libc.PR_SET_NO_NEW_PRIVS, 1);

    /// <summary>
    /// Installs a filter of system calls. Whatever steps follow must pass it: at least rt_sigprocmask and execve.
    /// </summary>
    /// <param name="program">The sock_filter instructions, 8 bytes each.</param>
    internal void InstallFilter(ReadOnlySpan<byte> program)
    {
        ReadOnlySpan<nint> header = [program.Length / 8, Bytes(program)];
        Add("install the system call filter", SystemCall.Seccomp, 1, 0, Bytes(MemoryMarshal.AsBytes(header)));
    }

    /// <summary>prlimit(2) on the child itself. One that may not be raised stays as it is.</summary>
    internal void SetLimit(string name, int resource, ulong soft, ulong hard, int tolerated = Errno.EPERM)
    {
        ReadOnlySpan<ulong> limit = [soft, hard];
        Add(name, SystemCall.PrLimit, 0, resource, Bytes(MemoryMarshal.AsBytes(limit)), tolerated: tolerated);
    }

    /// <summary>Gives the child a kernel keyring of its own instead of the host's session keyring.</summary>
    internal void NewSessionKeyring() => Add("join a session keyring", SystemCall.Keyctl, 1, tolerated: -1);

    /// <summary>umask(2).</summary>
    internal void SetUmask(uint mask) => Add("set the umask", SystemCall.Umask, mask);

    /// <summary>Leaves the caller's terminal and its job control: no key pressed there reaches the child, and it cannot type there.</summary>
    /// <remarks>Not by a session of its own: the kernel makes a scheduling group for each, a tenth of a whole launch.</remarks>
    internal void LeaveTerminal()
    {
        const string Name = "leave the terminal";
        const int TIOCNOTTY = 0x5422;

        // Without a terminal there is no /dev/tty to open, and so nothing to leave.
        LaunchArgument terminal = Call(Name, SystemCall.OpenAt, AT_FDCWD, Text("/dev/tty"), LibC.O_RDONLY | LibC.O_NOCTTY | LibC.O_CLOEXEC | LibC.O_NONBLOCK, tolerated: -1);
        Add(Name, SystemCall.Ioctl, terminal, TIOCNOTTY, tolerated: LibC.EBADF);
        Add(Name, SystemCall.Close, terminal, tolerated: LibC.EBADF);
        Add(Name, SystemCall.SetPgid);
    }

    /// <summary>Begins a session; with <paramref name="terminal"/> descriptor 0, a terminal, becomes its terminal.</summary>
    internal void BeginSession(bool terminal)
    {
        const int TIOCSCTTY = 0x540e;
        Add("begin a session", SystemCall.SetSid);
        if (terminal)
        {
            Add("take the terminal", SystemCall.Ioctl, 0, TIOCSCTTY);
        }
    }

    /// <summary>Opens a file in the child, close-on-exec.</summary>
    internal LaunchArgument Open(string name, string path, int flags, uint mode = 0) =>
        Call(name, SystemCall.OpenAt, AT_FDCWD, Text(path), (uint)(flags | LibC.O_CLOEXEC), mode);

    /// <summary>Opens a file in the child under a number known now, so that a text can hold it; close-on-exec.</summary>
    internal void OpenAs(string name, string path, int flags, int number)
    {
        LaunchArgument file = Open(name, path, flags);
        Add(name, SystemCall.Dup3, file, number, LibC.O_CLOEXEC);
        Close(name, file);
    }

    /// <summary>Closes a descriptor of the child.</summary>
    internal void Close(string name, LaunchArgument descriptor) => Add(name, SystemCall.Close, descriptor);

    /// <summary>Writes a few bytes to an existing file, such as "0" to a cgroup's <c>cgroup.procs</c>.</summary>
    internal void WriteFile(string name, string path, ReadOnlySpan<byte> content)
    {
        LaunchArgument file = Open(name, path, LibC.O_WRONLY);
        Add(name, SystemCall.Write, file, Bytes(content), content.Length);
        Close(name, file);
    }

    /// <summary>Writes a few bytes to an existing file, named from the directory of a descriptor.</summary>
    internal void WriteFileAt(string name, LaunchArgument directory, string path, ReadOnlySpan<byte> content)
    {
        LaunchArgument file = Call(name, SystemCall.OpenAt, directory, Text(path), LibC.O_WRONLY | LibC.O_CLOEXEC);
        Add(name, SystemCall.Write, file, Bytes(content), content.Length);
        Close(name, file);
    }

    /// <summary>
    /// Closes what the plan does not need. As the first step it keeps short the time for which the child holds
    /// copies of the host's descriptors, and so their locks, after the host has closed them.
    /// </summary>
    internal void CloseAllBut(params IEnumerable<int> descriptors)
    {
        uint first = 0;
        foreach (int descriptor in descriptors.Where(d => d >= 0).Distinct().Order())
        {
            if ((uint)descriptor > first)
            {
                Add("close descriptors", SystemCall.CloseRange, first, (uint)descriptor - 1);
            }

            first = (uint)descriptor + 1;
        }

        Add("close descriptors", SystemCall.CloseRange, first, uint.MaxValue);
    }

    /// <summary>
    /// Puts descriptors at the numbers that the program expects and closes every other one but that for reports. Sources and targets may
    /// overlap in any way.
    /// </summary>
    /// <param name="descriptors">Sources and targets.</param>
    internal void PassDescriptors(params IReadOnlyList<(LaunchArgument Source, int Target)> descriptors)
    {
        const string Name = "pass descriptors";

        // First out of the way of each other, then into place. None is close-on-exec after dup3.
        List<LaunchArgument> spare =
            [.. descriptors.Select(d => Call(Name, SystemCall.Fcntl, d.Source, F_DUPFD, FirstSpareDescriptor))];
        for (int i = 0; i < spare.Count; i++)
        {
            Add(Name, SystemCall.Dup3, spare[i], descriptors[i].Target);
        }

        if (_arena is null)
        {
            CloseAllBut(descriptors.Select(d => d.Target));
        }
        else
        {
            CloseAllBut([.. descriptors.Select(d => d.Target), ReportDescriptor]);
            CloseReportOnExecution();
        }
    }

    /// <summary>Lets every signal do what it does by default, as a program expects it.</summary>
    internal void ResetSignals()
    {
        // Handlers are gone since the clone; ignored signals (SIGPIPE, in every .NET process) stay so without this.
        nint defaults = Bytes(new byte[32]);
        for (int signal = 1; signal <= 64; signal++)
        {
            if (signal != LibC.SIGKILL && signal != LibC.SIGSTOP)
            {
                Add("reset signals", SystemCall.SigAction, signal, defaults, 0, 8);
            }
        }
    }

    /// <summary>
    /// Becomes the program, away from the caller's terminal and with signals reset. The last step of a plan; with
    /// a filter the last but one is its installation.
    /// </summary>
    /// <param name="programs">
    /// The path to execute; several are tried in turn until one can be executed, and the last one's failure counts.
    /// </param>
    /// <param name="arguments">The arguments, the name of the program first.</param>
    /// <param name="environment">The environment, as <c>NAME=value</c>.</param>
    /// <param name="filter">A filter of system calls to install last; empty for none.</param>
    internal void Execute(
        IReadOnlyList<string> programs,
        IEnumerable<string> arguments,
        IEnumerable<string> environment,
        ReadOnlySpan<byte> filter = default)
    {
        LeaveTerminal();
        Become(programs, arguments, environment, filter);
    }

    /// <summary><see cref="Execute"/> for a child that has a session of its own, or has left the terminal, already.</summary>
    internal void Become(
        IReadOnlyList<string> programs,
        IEnumerable<string> arguments,
        IEnumerable<string> environment,
        ReadOnlySpan<byte> filter = default)
    {
        const int SIG_SETMASK = 2;
        ResetSignals();
        Add("unblock signals", SystemCall.SigProcMask, SIG_SETMASK, Bytes(new byte[8]), 0, 8);
        if (!filter.IsEmpty)
        {
            InstallFilter(filter);
        }

        nint argv = Texts(arguments);
        nint envp = Texts(environment, _variables);
        for (int i = 0; i < programs.Count; i++)
        {
            Add($"execute {programs[i]}", SystemCall.Execve, Text(programs[i]), argv, envp, tolerated: i < programs.Count - 1 ? -1 : 0);
        }
    }
}
