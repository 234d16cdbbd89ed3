using System.Globalization;
using Appc.Stage1;
using Microsoft.Win32.SafeHandles;

namespace Appc.Linux;

/// <summary>Tells processes apart beyond the reuse of their numbers.</summary>
internal static class ProcessIdentity
{
    /// <summary>Whether a process still runs (a zombie does not).</summary>
    public static bool IsAlive(Stage1ProcessId process)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        return ProcFs.Stat(process.Pid) is { } stat
            && stat.StartTime == process.StartTime
            && stat.State is not ('Z' or 'X')
            && (process.BootId.Length == 0 || process.BootId == ProcFs.BootId());
    }

    /// <summary>Holds a running process; null if it has ended.</summary>
    public static SafeFileHandle? TryOpen(Stage1ProcessId process) => IsAlive(process) ? PidFd.TryOpen(process.Pid, process.StartTime) : null;

    /// <summary>The identity of a running process; null if there is none of this number.</summary>
    public static Stage1ProcessId? Of(int pid) =>
        ProcFs.Stat(pid) is { } stat ? new Stage1ProcessId(pid, stat.StartTime, ProcFs.BootId()) : null;

    /// <summary>
    /// The oldest process that has inherited the exclusive lock on a file from a process that has let it go or ended; null if there is
    /// none, or if who took the lock still holds it. Keepers of pods do not count: they are not in them. Looks at all of /proc: for
    /// repair only.
    /// </summary>
    /// <remarks>
    /// Who only has the file open, to look whether the lock is held, is nobody to be stopped; and who took the lock is
    /// a program that is about to start a pod or to remove one.
    /// </remarks>
    public static Stage1ProcessId? FindHolder(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Stage1ProcessId? oldest = null;
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                || TakerOf(directory, path) is not { } taker)
            {
                continue;
            }

            if (taker == pid)
            {
                return null;
            }

            if (!IsKeeper(directory) && Of(pid) is { } found && (oldest is null || found.StartTime < oldest.StartTime))
            {
                oldest = found;
            }
        }

        return oldest;
    }

    private static bool IsKeeper(string processDirectory)
    {
        try
        {
            return new FileInfo(Path.Combine(processDirectory, "exe")).LinkTarget?.StartsWith(LaunchProgram.LinkPrefix + LaunchProgram.Keeper, StringComparison.Ordinal) == true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Number of the process that took the lock of which a process has the descriptor; null if it has none.</summary>
    private static int? TakerOf(string processDirectory, string path)
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(processDirectory, "fd"))
                .Where(descriptor => new FileInfo(descriptor).LinkTarget == path)
                .SelectMany(descriptor => File.ReadAllLines(Path.Combine(processDirectory, "fdinfo", Path.GetFileName(descriptor))))
                .Select(TakerOf)
                .FirstOrDefault(taker => taker is not null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads a line such as <c>lock: 1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF</c>, see proc_pid_fdinfo(5).</summary>
    private static int? TakerOf(string line) =>
        line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is ["lock:", _, "FLOCK", _, "WRITE", var pid, ..]
            && int.TryParse(pid, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int taker) ? taker : null;
}
