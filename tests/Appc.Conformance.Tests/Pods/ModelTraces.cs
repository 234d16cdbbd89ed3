using System.Diagnostics;
using System.Globalization;
using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Pods;

/// <summary>What pods leave in a data directory and in the kernel, found without the library.</summary>
internal static class ModelTraces
{
    // The last first: a pod that moves on while this looks may be missed, and is never seen twice.
    private static readonly string[] s_phases = ["garbage", "exited-garbage", "run", "prepared", "prepare"];

    /// <summary>UUIDs of the pods that have a directory.</summary>
    /// <exception cref="ModelException">One has two.</exception>
    public static IReadOnlyCollection<string> Directories(string root)
    {
        HashSet<string> found = new(StringComparer.Ordinal);
        foreach (string directory in s_phases.SelectMany(p => Entries(root, p)))
        {
            if (!found.Add(Path.GetFileName(directory)))
            {
                throw new ModelException($"a pod has two directories, one of them {directory}");
            }
        }

        return found;
    }

    /// <summary>Waits until nothing is left of any pod: files, names, locks, control groups, mounts, processes.</summary>
    /// <param name="root">The data directory.</param>
    /// <param name="uuids">The pods that were there.</param>
    /// <param name="workers">Those who may be there, without children.</param>
    /// <exception cref="ModelException">Something stays.</exception>
    public static async Task RequireNoneAsync(string root, IReadOnlyCollection<string> uuids, IReadOnlyCollection<int> workers)
    {
        long begin = Stopwatch.GetTimestamp();
        while (Find(root, uuids, workers) is { Count: > 0 } left)
        {
            if (Stopwatch.GetElapsedTime(begin) > TimeSpan.FromSeconds(30))
            {
                throw new ModelException("of pods that are gone is left: " + string.Join('\n', left));
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Ends the processes of all pods of a data directory, after a test that failed.</summary>
    public static async Task EndAllAsync(string root)
    {
        foreach (int pid in Marked(root))
        {
            try
            {
                using Process process = Process.GetProcessById(pid);
                process.Kill();
                await process.WaitForExitAsync().WaitAsync(Programs.Patience);
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                // It has ended by itself.
            }
        }
    }

    private static List<string> Find(string root, IReadOnlyCollection<string> uuids, IReadOnlyCollection<int> workers)
    {
        List<string> left = [.. s_phases.Concat(["locks", "names"]).SelectMany(p => Entries(root, p)).Where(e => Path.GetFileName(e) != ".lock")];
        left.AddRange(File.ReadLines("/proc/self/mountinfo").Where(l => l.Contains(root, StringComparison.Ordinal)));
        left.AddRange(Marked(root).Select(p => $"process {p}: {Read(p, "cmdline")}"));
        foreach (int pid in Processes())
        {
            string[] stat = Read(pid, "stat").Split(") ")[^1].Split(' ');
            int parent = stat.Length > 1 ? int.Parse(stat[1], CultureInfo.InvariantCulture) : 0;
            if (workers.Contains(parent) || (parent == 1 && stat[0] != "Z" && LinkOf($"/proc/{pid}/exe").Contains("appc-enter", StringComparison.Ordinal)))
            {
                left.Add($"process {pid} of {parent}: {Read(pid, "stat")}");
            }

            if (!workers.Contains(pid))
            {
                left.AddRange(Descriptors(pid).Where(d => d.StartsWith(root, StringComparison.Ordinal)).Select(d => $"process {pid} has {d} open"));
            }
        }

        EnumerationOptions all = new() { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
        left.AddRange(Directory.EnumerateDirectories("/sys/fs/cgroup", "appc-*", all).Where(g => uuids.Contains(Path.GetFileName(g)["appc-".Length..])));
        return left;
    }

    private static IEnumerable<int> Marked(string root) => Processes().Where(p => Read(p, "environ").Split('\0').Contains($"APPC_STRESS={root}"));

    private static IEnumerable<int> Processes() =>
        Directory.EnumerateDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? pid : 0).Where(p => p != 0 && p != Environment.ProcessId);

    private static string[] Entries(string root, string part)
    {
        string path = Path.Combine(root, "pods", part);
        return Directory.Exists(path) ? Directory.GetFileSystemEntries(path) : [];
    }

    private static IEnumerable<string> Descriptors(int pid)
    {
        try
        {
            return [.. Directory.GetFiles($"/proc/{pid}/fd").Select(LinkOf)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget ?? string.Empty;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }

    private static string Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
