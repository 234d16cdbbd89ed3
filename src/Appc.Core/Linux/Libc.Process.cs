using System.Runtime.InteropServices;

namespace Appc.Linux;

/// <summary>Calls about processes that Tmds.LibC lacks. Each follows the man page of its name.</summary>
internal static unsafe partial class Libc
{
    public const int P_PID = 1;
    public const int P_PIDFD = 3;
    public const int WNOHANG = 1;
    public const int WEXITED = 4;
    public const int WALL = 0x40000000;

    public const int CLD_EXITED = 1;
    public const int CLD_KILLED = 2;
    public const int CLD_DUMPED = 3;

    public const int PR_GET_DUMPABLE = 3;
    public const int PR_SET_DUMPABLE = 4;
    public const int PR_SET_KEEPCAPS = 8;
    public const int PR_CAPBSET_READ = 23;
    public const int PR_CAPBSET_DROP = 24;
    public const int PR_SET_NO_NEW_PRIVS = 38;
    public const int PR_CAP_AMBIENT = 47;
    public const int PR_CAP_AMBIENT_RAISE = 2;
    public const int PR_CAP_AMBIENT_CLEAR_ALL = 4;

    public const ulong CLONE_VM = 0x100;
    public const ulong CLONE_PIDFD = 0x1000;
    public const ulong CLONE_VFORK = 0x4000;
    public const ulong CLONE_PARENT = 0x8000;
    public const ulong CLONE_CLEAR_SIGHAND = 0x1_0000_0000;
    public const ulong CLONE_INTO_CGROUP = 0x2_0000_0000;

    public const int F_GETFD = 1;
    public const int F_SETFD = 2;
    public const int F_GETFL = 3;
    public const int F_SETFL = 4;
    public const int F_ADD_SEALS = 1033;
    public const int FD_CLOEXEC = 1;

    /// <summary>What waitid(2) tells about an end.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    public struct SigInfo
    {
        [FieldOffset(0)]
        public int Signal;

        [FieldOffset(8)]
        public int Code;

        [FieldOffset(16)]
        public int Pid;

        [FieldOffset(24)]
        public int Status;
    }

    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitid(int idType, int id, SigInfo* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(int fd, int command, nint argument);

    /// <summary>The limits of a process, of which it need not be the own one; the first is the soft one.</summary>
    public static bool TryGetLimit(int pid, int resource, out ulong soft, out ulong hard)
    {
        ulong* limit = stackalloc ulong[2];
        bool known = SystemCall4(SystemCall.PrLimit, pid, resource, 0, (nint)limit) == 0;
        (soft, hard) = known ? (limit[0], limit[1]) : (0, 0);
        return known;
    }

    /// <summary>pidfd_open(2); -1 and errno on failure.</summary>
    public static int PidfdOpen(int pid) => (int)SystemCall3(SystemCall.PidfdOpen, pid, 0, 0);

    /// <summary>pidfd_send_signal(2); -1 and errno on failure.</summary>
    public static int PidfdSendSignal(int pidfd, int signal) =>
        (int)SystemCall4(SystemCall.PidfdSendSignal, pidfd, signal, 0, 0);

    /// <summary>pidfd_getfd(2): a copy of another process's descriptor, close-on-exec; -1 and errno on failure.</summary>
    public static int PidfdGetFd(int pidfd, int descriptor) =>
        (int)SystemCall3(SystemCall.PidfdGetFd, pidfd, descriptor, 0);

    /// <summary>What is at a path, the last link not followed; false, with errno, if there is nothing.</summary>
    public static bool TryStat(string path, out Statx stat)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            return StatAt(AT_FDCWD, p, AT_SYMLINK_NOFOLLOW, out stat) == 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint SystemCall3(nint number, nint a, nint b, nint c);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall4(nint number, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint SystemCall5(nint number, nint a, nint b, nint c, nint d, nint e);
}
