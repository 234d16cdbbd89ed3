using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Appc.Aot.Faults;

/// <summary>
/// Answers the system calls at which a filter stops another process: each goes on, fails, or never happens because the
/// process is killed in it. Its threads, and those of the children that it launches, are counted as one, in the order in which they
/// entered the kernel. Calls about control groups count as well.
/// </summary>
internal sealed unsafe partial class SystemCallGate : IDisposable
{
    private const nuint Receive = 0xC0502100;
    private const nuint Send = 0xC0182101;
    private const int O_CREAT = 0x40;
    private const int SIGKILL = 9;
    private const short POLLIN = 1;
    private const int AtWorkingDirectory = -100;

    private readonly Process _process;
    private readonly byte[] _root;

    private static ReadOnlySpan<byte> Groups => "/sys/fs/cgroup/"u8;
    private readonly int _listener;
    private readonly Thread _thread;
    private readonly SystemCallEntry?[] _calls = new SystemCallEntry?[512];
    private readonly List<SeenCall> _seen = [];
    private volatile bool _armed;
    private volatile bool _ended;
    private bool _onlyWriting;
    private bool _hit;
    private int _at;
    private Fault? _fault;

    /// <summary>Takes charge of a process that has installed the filter, or is about to.</summary>
    /// <param name="process">The process.</param>
    /// <param name="root">The directory whose calls count.</param>
    public SystemCallGate(Process process, string root)
    {
        _process = process;
        _root = Encoding.UTF8.GetBytes(root + "/");
        foreach (SystemCallEntry call in SystemCallEntry.All.Where(c => c.Number != SystemCallEntry.None))
        {
            _calls[call.Number] = call;
        }

        _listener = TakeListener();
        _thread = new Thread(Answer) { IsBackground = true, Name = "gate" };
        _thread.Start();
    }

    /// <summary>Counts from now on; the <paramref name="at"/>th call meets the fault.</summary>
    /// <param name="at">From 1; 0 for none.</param>
    /// <param name="fault">What happens at it.</param>
    /// <param name="onlyWriting">Whether calls that only read are not counted.</param>
    public void Arm(int at, Fault? fault, bool onlyWriting)
    {
        _seen.Clear();
        (_at, _fault, _onlyWriting, _hit) = (at, fault, onlyWriting, false);
        _armed = true;
    }

    /// <summary>Lets everything pass again, and tells what was met.</summary>
    public IReadOnlyList<SeenCall> Disarm(out bool hit)
    {
        _armed = false;
        hit = _hit;
        return [.. _seen];
    }

    /// <summary>Ends the process.</summary>
    public void Dispose()
    {
        _ended = true;
        _process.Kill();
        _process.WaitForExit();
        _thread.Join();
        _ = close(_listener);
    }

    /// <summary>The listener can be told by what its link says: the process itself can tell nobody, for that is a system call too.</summary>
    private int TakeListener()
    {
        nint process = syscall(434, _process.Id, 0, 0);
        try
        {
            while (!_process.HasExited)
            {
                foreach (string link in Directory.EnumerateFiles($"/proc/{_process.Id}/fd"))
                {
                    if (new FileInfo(link).LinkTarget is "anon_inode:seccomp notify")
                    {
                        int own = (int)syscall(438, process, int.Parse(Path.GetFileName(link), System.Globalization.CultureInfo.InvariantCulture), 0);
                        return own >= 0 ? own : throw new InvalidOperationException($"pidfd_getfd: {Marshal.GetLastPInvokeErrorMessage()}");
                    }
                }

                Thread.Yield();
            }

            throw new InvalidOperationException("the process ended before it had installed its filter: " + _process.StandardError.ReadToEnd());
        }
        finally
        {
            _ = close((int)process);
        }
    }

    private void Answer()
    {
        while (true)
        {
            PollRequest request = new() { Descriptor = _listener, Events = POLLIN };
            if (poll(&request, 1, -1) > 0 && (request.Returned & POLLIN) == 0)
            {
                // Nobody is left who has the filter.
                return;
            }

            Notification notification = default;
            if (ioctl(_listener, Receive, &notification) < 0)
            {
                continue;
            }

            Reply reply = new() { Id = notification.Id, Flags = 1 };
            int before = _seen.Count;
            if (_armed && !_ended && Decide(notification) is { } fault)
            {
                _hit = true;
                if (fault.Errno != 0)
                {
                    reply.Flags = 0;
                    reply.Error = -fault.Errno;
                }
                else
                {
                    bool isOwn = Directory.Exists($"/proc/{_process.Id}/task/{notification.Thread}");
                    _ = kill(_process.Id, SIGKILL);
                    if (isOwn)
                    {
                        continue;
                    }

                    // A child that is being launched goes on without the process that launched it.
                }
            }

            // A signal came between: the kernel asks again for the same call.
            if (ioctl(_listener, Send, &reply) < 0 && _seen.Count > before)
            {
                _seen.RemoveAt(before);
            }
        }
    }

    private Fault? Decide(in Notification call)
    {
        SystemCallEntry entry = _calls[call.Number]!;
        bool writes = entry.Kind switch
        {
            CallKind.Reads => false,
            CallKind.Opens => (FlagsOf(entry, call) & O_CREAT) != 0,
            _ => true,
        };
        if ((_onlyWriting && !writes) || PathOf(entry, call) is not { } path)
        {
            return null;
        }

        _seen.Add(new SeenCall(entry, writes, path));
        bool fills = entry.Kind == CallKind.Fills || (entry.Kind == CallKind.Opens && writes);
        return _seen.Count == _at || (_hit && _fault!.Lasting && fills) ? _fault : null;
    }

    private static ulong FlagsOf(SystemCallEntry entry, in Notification call) => entry.Name switch
    {
        "open" => call.Arguments[1],
        "openat2" => BitConverter.ToUInt64(Read(call.Thread, call.Arguments[2], sizeof(ulong))),
        _ => call.Arguments[2],
    };

    /// <summary>The path below the directory that counts; null if the call is about something else.</summary>
    private string? PathOf(SystemCallEntry entry, in Notification call)
    {
        (int directory, ulong address) = entry.Target switch
        {
            CallTarget.Descriptor => ((int)call.Arguments[0], 0UL),
            CallTarget.Path => (AtWorkingDirectory, call.Arguments[0]),
            CallTarget.PathInDirectory => ((int)call.Arguments[0], call.Arguments[1]),
            _ => ((int)call.Arguments[1], call.Arguments[2]),
        };
        byte[] bytes = address == 0 ? [] : Read(call.Thread, address, 4096);
        ReadOnlySpan<byte> name = bytes.AsSpan(0, Math.Max(Array.IndexOf(bytes, (byte)0), 0));
        if (name.StartsWith("/"u8))
        {
            return name.StartsWith(_root) ? Encoding.UTF8.GetString(name[_root.Length..])
                : name.StartsWith(Groups) ? Encoding.UTF8.GetString(name)
                : null;
        }

        Span<byte> buffer = stackalloc byte[4096];
        int length;
        fixed (byte* p = Encoding.ASCII.GetBytes(directory == AtWorkingDirectory ? $"/proc/{call.Thread}/cwd\0" : $"/proc/{call.Thread}/fd/{directory}\0"))
        fixed (byte* b = buffer)
        {
            length = (int)readlink(p, b, (nuint)buffer.Length);
        }

        ReadOnlySpan<byte> parent = buffer[..Math.Max(length, 0)];
        return parent.StartsWith(_root)
            ? Encoding.UTF8.GetString(parent[_root.Length..]) + (name.IsEmpty ? string.Empty : "/" + Encoding.UTF8.GetString(name))
            : parent.StartsWith(Groups) ? Encoding.UTF8.GetString(parent)
            : null;
    }

    /// <summary>Memory of the thread that waits: a process that is being launched is another one with the same filter.</summary>
    private static byte[] Read(uint thread, ulong address, int length)
    {
        try
        {
            using SafeFileHandle memory = File.OpenHandle($"/proc/{thread}/mem");
            byte[] bytes = new byte[length];
            int read = RandomAccess.Read(memory, bytes, (long)address);
            return bytes[..read];
        }
        catch (IOException)
        {
            // It was killed meanwhile.
            return [];
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    /// <summary>struct seccomp_notif.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Notification
    {
        public ulong Id;
        public uint Thread;
        public uint Flags;
        public int Number;
        public uint Architecture;
        public ulong InstructionPointer;
        public Six Arguments;
    }

    [System.Runtime.CompilerServices.InlineArray(6)]
    private struct Six
    {
        private ulong _first;
    }

    /// <summary>struct seccomp_notif_resp.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Reply
    {
        public ulong Id;
        public long Value;
        public int Error;
        public uint Flags;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, void* argument);

    [LibraryImport("libc")]
    private static partial int poll(PollRequest* requests, nuint count, int timeout);

    [LibraryImport("libc")]
    private static partial nint readlink(byte* path, byte* buffer, nuint size);

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);

    [LibraryImport("libc")]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);
}
