using System.Globalization;
using Appc.Linux;
using Tmds.Linux;

namespace Appc.Stage1;

/// <summary>
/// The control group of a pod, below that of the process that started it: the one place that holds every process of
/// the pod, whoever of them was killed.
/// </summary>
internal static class PodCGroup
{
    /// <summary>By which a group is frozen and thawed, below its directory.</summary>
    internal const string FreezeFile = "/cgroup.freeze";

    private const string Namespace = "/sys/fs/cgroup";
    private static readonly TimeSpan RemovalLimit = TimeSpan.FromSeconds(10);

    /// <summary>The version 2 hierarchy, where it is expected if it is there too; null if it is mounted nowhere.</summary>
    internal static ControlGroupHierarchy? FindHierarchy()
    {
        List<ControlGroupHierarchy> mounted = [.. ControlGroups.Hierarchies().Where(h => h.IsVersion2)];
        return mounted.LastOrDefault(h => h.MountPoint == Namespace) ?? mounted.FirstOrDefault();
    }

    /// <summary>The directory of this process in the version 2 hierarchy.</summary>
    /// <exception cref="LaunchException">There is none.</exception>
    internal static (string MountPoint, string Own) FindOwn(string subject)
    {
        ControlGroupHierarchy hierarchy = FindHierarchy()
            ?? throw new LaunchException("find the control group", 0, $"{subject}: no version 2 control group hierarchy is mounted");
        string path = ControlGroups.OfThisProcess().GetValueOrDefault("") ?? "/";

        // A host that runs in the root of a pod's or unit's group stays there; nspawn moves itself further down.
        return (hierarchy.MountPoint, hierarchy.Locate(path)
            ?? throw new LaunchException("find the control group", 0, $"{subject}: the control group of this process, {path}, is not visible below {hierarchy.MountPoint}"));
    }

    internal static string NameOf(string uuid) => "appc-" + uuid;

    /// <summary>Kills every process in the group and in those below it.</summary>
    internal static void Kill(string directory)
    {
        try
        {
            File.WriteAllText(directory + "/cgroup.kill", "1");
            return;
        }
        catch (DirectoryNotFoundException)
        {
            return;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Linux before 5.14 kills one by one.
        }

        Signal(Identify(Processes(directory)));
    }

    /// <summary>
    /// Kills the processes in the group, which is to be used again: in one that was killed as a whole, the kernel goes on to kill whatever is
    /// born into it, and since version 255 systemd has what records an app's end born so. What forks faster than this
    /// looks is killed as a whole.
    /// </summary>
    /// <param name="directory">The group.</param>
    /// <param name="spare">Which processes are left alone that were not there at first.</param>
    /// <param name="limit">How long those that are killed may take to end: they need processor time for it, and may have little.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the wait; what is killed stays so.</param>
    internal static async Task KillEachAsync(string directory, Func<int, bool> spare, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        const int Rounds = 50;
        HashSet<(int Pid, long StartTime)> killed = [];
        long begin = time.GetTimestamp();
        int round = 0;
        while (time.GetElapsedTime(begin) < limit)
        {
            bool first = round == 0;
            (int Pid, long StartTime)[] left = [.. Identify(Processes(directory).Where(p => first || !spare(p)))];
            (int Pid, long StartTime)[] more = [.. left.Where(killed.Add)];
            if (left.Length == 0)
            {
                return;
            }

            if (more.Length == 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), time, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (++round > Rounds)
            {
                Kill(directory);
                return;
            }

            Signal(more);
        }
    }

    /// <summary>Whether the processes in the group are stopped.</summary>
    internal static bool IsFrozen(string directory) => SmallFile.TryReadContent(directory + FreezeFile) is [(byte)'1', ..];

    /// <summary>Whether what is born into the group stops at once: it is frozen, or one that it is in.</summary>
    internal static bool IsStopped(string directory)
    {
        // The root of all has no such file.
        for (string? group = directory; group is not null && File.Exists(group + FreezeFile); group = Path.GetDirectoryName(group))
        {
            if (IsFrozen(group))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Lets the processes in the group go on.</summary>
    internal static void Thaw(string directory)
    {
        try
        {
            File.WriteAllText(directory + FreezeFile, "0");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is gone, and its processes with it.
        }
    }

    private static IEnumerable<(int Pid, long StartTime)> Identify(IEnumerable<int> pids) =>
        from pid in pids
        let start = ProcFs.StartTime(pid)
        where start is not null
        select (pid, start.Value);

    private static void Signal(IEnumerable<(int Pid, long StartTime)> processes)
    {
        foreach ((int pid, long start) in processes)
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle? process = PidFd.TryOpen(pid, start);
            if (process is not null)
            {
                PidFd.Signal(process, LibC.SIGKILL);
            }
        }
    }

    /// <summary>The processes in the group and in those below it. Zombies do not count.</summary>
    internal static IReadOnlyList<int> Processes(string directory)
    {
        List<int> pids = [];
        try
        {
            Collect(directory, pids);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is being removed: whatever was seen is all there is.
        }

        return pids;
    }

    /// <summary>The group of a unit of the systemd inside, in a pod's group or below it; null if there is none.</summary>
    internal static string? FindUnit(string directory, string unit)
    {
        const int Depth = 6;
        EnumerationOptions below = new() { RecurseSubdirectories = true, MaxRecursionDepth = Depth, IgnoreInaccessible = true };
        return Directory.Exists(directory) ? Directory.EnumerateDirectories(directory, unit, below).FirstOrDefault() : null;
    }

    /// <summary>Removes the group and those below it; false while a process is left in one of them.</summary>
    internal static bool TryRemove(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return true;
        }

        try
        {
            foreach (string child in Directory.GetDirectories(directory))
            {
                if (!TryRemove(child))
                {
                    return false;
                }
            }

            // Not recursive: the files of a control group go with their directory.
            Directory.Delete(directory);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (IOException)
        {
            return !Directory.Exists(directory);
        }
    }

    /// <summary>Kills whoever is left in the group and removes it; false if somebody is left for long. Safe to repeat.</summary>
    internal static async Task<bool> RemoveAsync(string directory, TimeProvider time, CancellationToken cancellationToken)
    {
        long begin = time.GetTimestamp();
        while (!TryRemove(directory))
        {
            // The last process has ended, but the kernel may take a moment to let go of it.
            Kill(directory);
            if (time.GetElapsedTime(begin) > RemovalLimit)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), time, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Whether a recorded directory is a group of the pod. What is recorded is killed and removed: only the pod's own may be.</summary>
    internal static bool IsOf(string directory, string uuid) =>
        directory.EndsWith("/" + NameOf(uuid), StringComparison.Ordinal) && !directory.Contains("/../", StringComparison.Ordinal);

    private static void Collect(string directory, List<int> pids)
    {
        foreach (string line in File.ReadLines(directory + "/cgroup.procs"))
        {
            if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid > 0
                && ProcFs.Stat(pid) is { State: not ('Z' or 'X') })
            {
                pids.Add(pid);
            }
        }

        foreach (string child in Directory.GetDirectories(directory))
        {
            Collect(child, pids);
        }
    }
}
