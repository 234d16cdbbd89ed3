using System.Globalization;
using Appc.Stage1;

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

        return ReadStat(process.Pid) is { } stat
            && stat.StartTime == process.StartTime
            && stat.State is not ('Z' or 'X')
            && (process.BootId.Length == 0 || process.BootId == BootId());
    }

    /// <summary>The identity of a running process; null if there is none of this number.</summary>
    public static Stage1ProcessId? Of(int pid) =>
        ReadStat(pid) is { } stat ? new Stage1ProcessId(pid, stat.StartTime, BootId()) : null;

    /// <summary>
    /// The oldest process that has a file open, other than this one; null if nobody has. Looks at all of /proc:
    /// for repair only.
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
                && Of(pid) is { } found
                && (oldest is null || found.StartTime < oldest.StartTime))
            {
                oldest = found;
            }
        }

        return oldest;
    }

    public static string BootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (IOException)
        {
            return string.Empty;
        }
    }

    private static (char State, long StartTime)? ReadStat(int pid)
    {
        string text;
        try
        {
            text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
        int end = text.LastIndexOf(')');
        string[] fields = end < 0 ? [] : text[(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        const int StateField = 0;
        const int StartTimeField = 19;
        return fields.Length > StartTimeField && long.TryParse(fields[StartTimeField], NumberStyles.None, CultureInfo.InvariantCulture, out long start)
            ? (fields[StateField][0], start)
            : null;
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
