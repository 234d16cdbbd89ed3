using System.Runtime.InteropServices;
using System.Text;
using Appc.Stage1;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// What a new child does before it becomes its program: a list of system calls with prepared arguments. Built by
/// managed code, run by <see cref="LaunchStub"/> in the child; the first failure ends the child, and
/// <see cref="Start"/> throws with the name of the step.
/// </summary>
/// <remarks>
/// The child starts as a copy of this process in everything but memory, which it shares until it executes: it has
/// its own descriptors, working directory, umask, namespaces, identity, limits and signal handlers (all default).
/// So a plan may enter namespaces, mount, change root and identity, write "0" to a cgroup or install any filter.
/// Descriptors of this process keep their numbers in the child. Not safe for use by several threads; a plan runs
/// once.
/// </remarks>
internal sealed unsafe partial class LaunchPlan : IDisposable
{
    /// <summary>Name of what comes before the first step.</summary>
    internal const string BirthStep = "make a process in new namespaces";

    private const int ChunkSize = 16 * 1024;

    private readonly List<nint> _chunks = [];
    private readonly List<string> _names = new(128);
    private readonly string _subject;
    private readonly ulong _namespaces;
    private readonly LaunchArena? _arena;
    private readonly nint* _zero;
    private readonly nint* _ignored;
    private readonly Lock _waiting = new();
    private byte* _free;
    private int _left;
    private LaunchStub.Step* _steps;
    private int _capacity;
    private int* _child;
    private bool _waited;
    private bool _disposed;

    /// <summary>Creates an empty plan.</summary>
    /// <param name="subject">What is launched, for messages: <c>pod 4fe2…</c>.</param>
    /// <param name="namespaces">The namespaces that the child is born into: CLONE_NEW flags, or 0.</param>
    /// <param name="arena">Where to put everything, so that <see cref="WriteProgram"/> can make a program of the plan; the plan owns it.</param>
    internal LaunchPlan(string subject, ulong namespaces, LaunchArena? arena = null)
    {
        _subject = subject;
        _namespaces = namespaces;
        _arena = arena;
        _zero = (nint*)Allocate(sizeof(nint));
        _ignored = (nint*)Allocate(sizeof(nint));
        Reserve(128);
    }

    /// <summary>
    /// Descriptor of the version 2 control group that the child is born into; null for that of this process. Free
    /// of the wait for other processors that moving a running process costs.
    /// </summary>
    internal Fd? CGroup { get; init; }

    /// <summary>Whether a step changes the user or group id; see <see cref="DumpableGuard"/>.</summary>
    private bool ChangesIdentity { get; set; }

    /// <summary>
    /// Appends a system call. Arguments left out are 0; pointers come from <see cref="Text"/>, <see cref="Bytes"/>
    /// and <see cref="Texts"/>.
    /// </summary>
    /// <param name="name">What the step does, for the message of a failure: <c>mount /proc</c>.</param>
    /// <param name="number">One of <see cref="SystemCall"/>.</param>
    /// <param name="a">The first argument.</param>
    /// <param name="b">The second argument.</param>
    /// <param name="c">The third argument.</param>
    /// <param name="d">The fourth argument.</param>
    /// <param name="e">The fifth argument.</param>
    /// <param name="f">The sixth argument.</param>
    /// <param name="tolerated">An error number that is no failure; -1 for every one.</param>
    /// <returns>The result, as an argument for later steps; -1 there if a tolerated failure happened.</returns>
    internal LaunchArgument Call(
        string name,
        int number,
        LaunchArgument a = default,
        LaunchArgument b = default,
        LaunchArgument c = default,
        LaunchArgument d = default,
        LaunchArgument e = default,
        LaunchArgument f = default,
        int tolerated = 0)
    {
        nint* result = (nint*)Allocate(sizeof(nint));
        *result = -1;
        Append(name, number, a, b, c, d, e, f, tolerated, result);
        return LaunchArgument.FromCell(result);
    }

    /// <summary>A NUL-terminated UTF-8 string that lives as long as the plan.</summary>
    /// <exception cref="LaunchException">The text holds a NUL.</exception>
    internal nint Text(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new LaunchException("prepare", 22, $"{_subject}: a path, argument or variable holds a zero character");
        }

        int length = Encoding.UTF8.GetByteCount(text);
        byte* memory = Allocate(length + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(memory, length));
        memory[length] = 0;
        return (nint)memory;
    }

    /// <summary>Bytes that live as long as the plan.</summary>
    internal nint Bytes(ReadOnlySpan<byte> bytes)
    {
        byte* memory = Allocate(bytes.Length);
        bytes.CopyTo(new Span<byte>(memory, bytes.Length));
        return (nint)memory;
    }

    /// <summary>A NULL-terminated array of strings that lives as long as the plan.</summary>
    /// <param name="texts">The strings.</param>
    /// <param name="more">Pointers to more strings.</param>
    internal nint Texts(IEnumerable<string> texts, params IEnumerable<nint> more)
    {
        List<nint> pointers = [.. texts.Select(Text), .. more, 0];
        return Bytes(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(pointers)));
    }

    /// <summary>
    /// Runs the plan in a new child and returns when the child has become its program. The calling thread waits
    /// for that long in the kernel; its signals are blocked meanwhile.
    /// </summary>
    /// <exception cref="LaunchException">A step failed; the child is gone.</exception>
    internal LaunchedProcess Start()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using (ChangesIdentity ? DumpableGuard.Enter() : null)
        {
            LaunchStub.Header* header = Run(_namespaces | Libc.CLONE_CLEAR_SIGHAND, LibC.SIGCHLD, out int pid, out SafeFileHandle pidfd);
            if (header->Errno == 0)
            {
                return new LaunchedProcess(pid, pidfd);
            }

            Reap(pidfd);
            throw Failure(_names[(int)(header->Step - _steps)], (int)header->Errno);
        }
    }

    /// <summary>
    /// Runs the plan in a new child that executes nothing, and returns when it has ended but before it is reaped:
    /// its namespaces are still there to be opened through <c>/proc/PID/ns</c>. The end is not announced by a
    /// signal. Finish with <see cref="Reap"/>.
    /// </summary>
    internal LaunchedProcess StartEnded()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        LaunchStub.Header* header = Run(_namespaces, 0, out int pid, out SafeFileHandle pidfd);
        if (header->Errno == 0)
        {
            return new LaunchedProcess(pid, pidfd);
        }

        Reap(pidfd);
        throw Failure(_names[(int)(header->Step - _steps)], (int)header->Errno);
    }

    /// <summary>Collects an ended child and closes its pidfd.</summary>
    internal static void Reap(SafeFileHandle pidfd)
    {
        Libc.SigInfo info;
        while (Libc.waitid(Libc.P_PIDFD, (int)pidfd.DangerousGetHandle(), &info, Libc.WEXITED | Libc.WALL) < 0
            && Marshal.GetLastPInvokeError() == LibC.EINTR)
        {
        }

        pidfd.Dispose();
    }

    /// <summary>Number of the child's pidfd, for another thread while <see cref="Start"/> waits for the child, which has come to a step of its own.</summary>
    internal int ChildDescriptor => Volatile.Read(ref *_child);

    /// <summary>Frees the arguments.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _arena?.Dispose();
            NativeMemory.Free(_steps);
            foreach (nint chunk in _chunks)
            {
                NativeMemory.Free((void*)chunk);
            }
        }
    }

    private LaunchStub.Header* Run(ulong flags, int exitSignal, out int pid, out SafeFileHandle pidfd)
    {
        int* descriptor = (int*)Allocate(sizeof(int));
        *descriptor = -1;
        _child = descriptor;
        LaunchStub.CloneArguments* clone = (LaunchStub.CloneArguments*)Allocate(sizeof(LaunchStub.CloneArguments));
        *clone = new LaunchStub.CloneArguments
        {
            Flags = flags | (CGroup is null ? 0 : Libc.CLONE_INTO_CGROUP) | Libc.CLONE_VM | Libc.CLONE_VFORK | Libc.CLONE_PIDFD,
            PidFd = (ulong)descriptor,
            ExitSignal = (ulong)exitSignal,
            CGroup = CGroup is null ? 0 : (ulong)CGroup.Number,
        };
        LaunchStub.Header* header = (LaunchStub.Header*)Allocate(sizeof(LaunchStub.Header));
        *header = new LaunchStub.Header
        {
            Clone = clone,
            CloneSize = sizeof(LaunchStub.CloneArguments),
            Step = _steps,
            End = _steps + _names.Count,
            AllSignals = ulong.MaxValue,
        };
        nint result = LaunchStub.Run(header);
        lock (_waiting)
        {
            _waited = true;
        }

        if (result < 0)
        {
            throw Failure(BirthStep, (int)-result);
        }

        pid = (int)result;
        pidfd = new SafeFileHandle(*descriptor, ownsHandle: true);
        return header;
    }

    private LaunchException Failure(string step, int errno) => new(
        step,
        errno,
        Printable.Text($"{_subject}: cannot {step}: {Errno.Describe(errno)}"),
        errno == LibC.EPERM && !Environment.IsPrivilegedProcess ? "Pods are launched by root." : null);

    /// <summary>Appends a step whose result nobody needs.</summary>
    private void Add(
        string name,
        int number,
        LaunchArgument a = default,
        LaunchArgument b = default,
        LaunchArgument c = default,
        LaunchArgument d = default,
        LaunchArgument e = default,
        LaunchArgument f = default,
        int tolerated = 0) => Append(name, number, a, b, c, d, e, f, tolerated, _ignored);

    private void Append(
        string name,
        int number,
        in LaunchArgument a,
        in LaunchArgument b,
        in LaunchArgument c,
        in LaunchArgument d,
        in LaunchArgument e,
        in LaunchArgument f,
        int tolerated,
        nint* result)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Reserve(_names.Count + 1);
        _steps[_names.Count] = new LaunchStub.Step
        {
            Number = number,
            Argument0 = Cell(a),
            Argument1 = Cell(b),
            Argument2 = Cell(c),
            Argument3 = Cell(d),
            Argument4 = Cell(e),
            Argument5 = Cell(f),
            Result = result,
            Tolerated = tolerated,
        };
        _names.Add(name);
    }

    private nint* Cell(in LaunchArgument argument)
    {
        if (argument.Cell is not null)
        {
            return argument.Cell;
        }

        if (argument.Value == 0)
        {
            return _zero;
        }

        nint* cell = (nint*)Allocate(sizeof(nint));
        *cell = argument.Value;
        return cell;
    }

    private void Reserve(int steps)
    {
        if (steps > _capacity)
        {
            _capacity = Math.Max(steps, _capacity * 2);
            _steps = (LaunchStub.Step*)NativeMemory.Realloc(_steps, (nuint)(_capacity * sizeof(LaunchStub.Step)));
        }
    }

    private byte* Allocate(int size)
    {
        if (_arena is not null)
        {
            return _arena.Allocate(size);
        }

        size = (size + 7) & ~7;
        if (size > _left)
        {
            int chunk = Math.Max(size, ChunkSize);
            _free = (byte*)NativeMemory.AllocZeroed((nuint)chunk);
            _chunks.Add((nint)_free);
            _left = chunk;
        }

        byte* memory = _free;
        _free += size;
        _left -= size;
        return memory;
    }
}
