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
    /// The oldest process that has a file open, other than this one and the keepers of pods, which are not in them; null
    /// if nobody has. Looks at all of /proc: for repair only.
    /// </summary>
    public static Stage1ProcessId? FindHolder(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Stage1ProcessId? oldest = null;
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && pid != Environment.ProcessId
                && HasOpen(directory, path)
                && !IsKeeper(directory)
                && Of(pid) is { } found
                && (oldest is null || found.StartTime < oldest.StartTime))
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

    private static bool HasOpen(string processDirectory, string path)
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(processDirectory, "fd"))
                .Any(descriptor => new FileInfo(descriptor).LinkTarget == path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
