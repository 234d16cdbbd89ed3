using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Appc.Linux;

/// <summary>What /proc says about processes.</summary>
internal static class ProcFs
{
    private const int TooManyFilesInSystem = 23;
    private const int TooManyFiles = 24;

    private static string? s_bootId;

    /// <summary>Start time of a process in clock ticks since boot; null if there is no such process.</summary>
    internal static long? StartTime(int pid) => Stat(pid)?.StartTime;

    /// <summary>State letter and start time of a process; null if there is no such process.</summary>
    internal static (char State, long StartTime)? Stat(int pid)
    {
        Span<byte> buffer = stackalloc byte[1024];
        int length = Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"), buffer);
        ReadOnlySpan<byte> text = buffer[..Math.Max(length, 0)];

        // The name of the program, in parentheses, may hold anything, parentheses included. Field 3 follows it.
        int end = text.LastIndexOf((byte)')');
        if (end < 0 || end + 2 > text.Length)
        {
            return null;
        }

        char state = '\0';
        int field = 2;
        foreach (Range range in text[(end + 1)..].Split((byte)' '))
        {
            ReadOnlySpan<byte> value = text[(end + 1)..][range];
            if (value.IsEmpty)
            {
                continue;
            }

            if (++field == 3)
            {
                state = (char)value[0];
            }
            else if (field == 22)
            {
                return long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long ticks) ? (state, ticks) : null;
            }
        }

        return null;
    }

    /// <summary>The number of a process's parent; null if there is no such process.</summary>
    internal static int? Parent(int pid) =>
        int.TryParse(StatusLine(pid, "PPid"), NumberStyles.None, CultureInfo.InvariantCulture, out int parent) ? parent : null;

    /// <summary>The root directory of a process; null if it has ended.</summary>
    internal static unsafe Libc.Statx? RootOf(int pid)
    {
        fixed (byte* path = Fd.PathBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/root")))
        {
            // A pod can make its own file systems slow: what the kernel knows already is enough.
            const int AT_STATX_DONT_SYNC = 0x4000;
            return Libc.StatAt(Libc.AT_FDCWD, path, AT_STATX_DONT_SYNC, out Libc.Statx root) == 0 ? root : null;
        }
    }

    /// <summary>How soon a process is killed when memory is short, -1000 to 1000; null if there is no such process.</summary>
    internal static int? OomScoreAdjustment(int pid)
    {
        Span<byte> buffer = stackalloc byte[16];
        int length = Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/oom_score_adj"), buffer);
        return int.TryParse(buffer[..Math.Max(length, 0)].TrimEnd((byte)'\n'), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int score) ? score : null;
    }

    /// <summary>A line of a process's status, such as <c>CapBnd</c>; null if there is no such process.</summary>
    internal static string? StatusLine(int pid, string name)
    {
        try
        {
            return File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"))
                .FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.Ordinal))?[(name.Length + 1)..].Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The capabilities that this process may use, bit N for number N; all bits where that cannot be read.</summary>
    internal static ulong PermittedCapabilities() => StatusBits(Environment.ProcessId, "CapPrm") ?? ulong.MaxValue;

    /// <summary>Names this boot of the machine, which lasts longer than this process; empty where the kernel does not say.</summary>
    internal static string BootId() => (s_bootId ??= ReadBootId()) ?? "";

    /// <summary>
    /// A set on one line of <c>/proc/PID/status</c>: signals (<c>SigCgt</c>, <c>SigIgn</c>, <c>SigBlk</c>), of which bit N-1 stands for
    /// signal N, or capabilities (<c>CapBnd</c>). Null if there is no such process.
    /// </summary>
    internal static ulong? StatusBits(int pid, string line) =>
        ulong.TryParse(StatusLine(pid, line), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong set) ? set : null;

    private static string? ReadBootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static int Read(string path, Span<byte> buffer)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(path);
            return RandomAccess.Read(file, buffer, 0);
        }
        catch (IOException e) when (e.HResult is not (TooManyFiles or TooManyFilesInSystem))
        {
            return -1;
        }
    }
}
