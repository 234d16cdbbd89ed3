using System.Globalization;
using System.Text;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// What <c>Programs/report.c</c> says of its process, by name. Only what cannot be told beforehand is put in other words: numbers of
/// namespaces, limits that are the host's, and options of mounts that say nothing of isolation.
/// </summary>
internal static class AppReport
{
    private static readonly string[] HostMounts = ["/dev", "/proc", "/sys", "/run"];
    private static readonly string[] Telling = ["ro", "rw", "nosuid", "nodev", "noexec"];

    /// <summary>Reads reports that stand one behind the other.</summary>
    public static IReadOnlyList<SortedDictionary<string, string>> Parse(string output)
    {
        List<SortedDictionary<string, string>> reports = [];
        string before = "";
        foreach (string line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string key = line.Split(' ')[0];
            if (key == "argument" && before != "argument")
            {
                reports.Add(new SortedDictionary<string, string>(StringComparer.Ordinal));
            }

            before = key;
            Add(reports[^1], key, line[Math.Min(key.Length + 1, line.Length)..]);
        }

        return reports;
    }

    private static void Add(SortedDictionary<string, string> facts, string key, string rest)
    {
        string[] words = rest.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (key)
        {
            case "argument":
                facts["arguments"] = facts.TryGetValue("arguments", out string? others) ? $"{others} [{Bytes(rest)}]" : $"[{Bytes(rest)}]";
                break;
            case "variable":
                string[] variable = Bytes(rest).Split('=', 2);
                facts.Add("variable " + variable[0], variable[1]);
                break;
            case "namespace":
                facts.Add("namespace " + words[0], words[1] == new FileInfo("/proc/self/ns/" + words[0]).LinkTarget ? "the host's" : "own");
                break;
            case "cgroup":
                // Where version 1 hierarchies are mounted beside it, the others are the caller's.
                if (rest.TrimStart().StartsWith("0::", StringComparison.Ordinal))
                {
                    facts.Add(key, rest.Trim());
                }

                break;
            case "mount":
                AddMount(facts, words);
                break;
            case "limit":
                facts.Add("limit " + words[0], Limit(words[0], words[1], words[2]));
                break;
            case "dev":
                // Names by number, and what is hidden, are systemd's own affair.
                if (!words[0].StartsWith("/dev/char", StringComparison.Ordinal) && words is not [_, _, _, "0", ..])
                {
                    facts.Add(words[0], string.Join(' ', words[1..]));
                }

                break;
            case "status" or "fd":
                facts.Add($"{key} {words[0]}", string.Join(' ', words[1..]));
                break;
            default:
                facts.Add(key, string.Join(' ', words));
                break;
        }
    }

    private static void AddMount(SortedDictionary<string, string> facts, string[] words)
    {
        string place = words[4];
        bool isKnown = place is "/" or "/dev" or "/dev/shm" or "/dev/pts" or "/proc" or "/proc/sys" or "/sys" or "/sys/fs/cgroup";
        if (isKnown || !HostMounts.Any(m => place == m || place.StartsWith(m + "/", StringComparison.Ordinal)))
        {
            // A volume is on whatever file system the host has.
            string type = isKnown ? words[Array.IndexOf(words, "-") + 1] + " " : "";
            facts.Add("mount " + place, type + string.Join(',', words[5].Split(',').Where(Telling.Contains)));
        }
    }

    /// <summary>Soft and hard limit where the library sets one; elsewhere that no more is given than the host has.</summary>
    private static string Limit(string name, string soft, string hard)
    {
        if (name is "core" or "nproc")
        {
            return $"{soft}:{hard}";
        }

        (string Kernel, string Name)[] names =
        [
            ("Max cpu time", "cpu"), ("Max file size", "fsize"), ("Max data size", "data"), ("Max stack size", "stack"), ("Max resident set", "rss"), ("Max open files", "nofile"), ("Max locked memory", "memlock"),
            ("Max address space", "as"), ("Max file locks", "locks"), ("Max pending signals", "sigpending"), ("Max msgqueue size", "msgqueue"), ("Max nice priority", "nice"), ("Max realtime priority", "rtprio"), ("Max realtime timeout", "rttime"),
        ];
        string kernel = names.First(n => n.Name == name).Kernel;
        string own = File.ReadLines("/proc/self/limits").First(l => l.StartsWith(kernel, StringComparison.Ordinal))[26..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        long most = own == "unlimited" ? long.MaxValue : long.Parse(own, CultureInfo.InvariantCulture);
        long given = hard == "-1" ? long.MaxValue : long.Parse(hard, CultureInfo.InvariantCulture);
        return given == most || (name == "nofile" && given < most && given >= 512 * 1024) ? "the host's" : $"{soft}:{hard}";
    }

    private static string Bytes(string hex) => Encoding.UTF8.GetString(Convert.FromHexString(hex.Trim()));
}
