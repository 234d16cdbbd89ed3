using System.Globalization;

namespace Appc.Linux;

/// <summary>What a launch must never change: the state of every thread of this process.</summary>
internal static class HostState
{
    private static readonly string[] Lines =
        ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters", "Umask", "SigIgn"];

    private static readonly string[] Namespaces = ["mnt", "uts", "ipc", "pid", "pid_for_children", "net", "user", "cgroup"];

    /// <summary>One line for each distinct state in which a thread is, so normally a single one.</summary>
    public static IReadOnlyList<string> OfThreads()
    {
        SortedSet<string> states = new(StringComparer.Ordinal);
        foreach (string task in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                states.Add(OfThread(task));
            }
            catch (IOException)
            {
                // The thread ended while it was looked at.
            }
        }

        return [.. states];
    }

    /// <summary>The sets of signals that threads block. One that is launching a child blocks all of them for that long.</summary>
    public static IReadOnlyList<string> BlockedSignals() =>
        [.. Directory.GetDirectories("/proc/self/task").SelectMany(t => TryRead(t + "/status").Split('\n')).Where(l => l.StartsWith("SigBlk", StringComparison.Ordinal)).Distinct().Order()];

    public static string Mounts() => File.ReadAllText("/proc/self/mountinfo");

    public static string WorkingDirectory() => Directory.GetCurrentDirectory();

    public static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    /// <summary>Children of this process, zombies included.</summary>
    public static IReadOnlyList<int> Children() =>
        [.. Directory.GetDirectories("/proc/self/task")
            .SelectMany(t => TryRead(t + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(p => int.Parse(p, CultureInfo.InvariantCulture))];

    private static string TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static string OfThread(string task)
    {
        IEnumerable<string> status = File.ReadAllLines(task + "/status")
            .Where(l => Lines.Contains(l.Split(':')[0], StringComparer.Ordinal));
        IEnumerable<string> namespaces = Namespaces.Select(n => n + "=" + new FileInfo($"{task}/ns/{n}").LinkTarget);
        string root = new FileInfo(task + "/root").LinkTarget ?? "";
        string cwd = new FileInfo(task + "/cwd").LinkTarget ?? "";
        return string.Join(' ', [.. status, .. namespaces, root, cwd, TryRead(task + "/cgroup"), TryRead(task + "/limits")]);
    }
}
