using System.Globalization;

namespace Appc.Linux;

/// <summary>Where the control groups of processes are mounted, of both versions.</summary>
internal static class ControlGroups
{
    /// <summary>The control groups of a process that are not those of this process.</summary>
    /// <returns>The directory in the version 2 hierarchy, null if it is the same; and the <c>cgroup.procs</c> files in those of version 1.</returns>
    internal static (string? Unified, List<string> Others) Differing(int pid)
    {
        IReadOnlyDictionary<string, string> own = OfThisProcess();
        string? unified = null;
        List<string> others = [];
        foreach ((string controllers, string path) in Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cgroup")))
        {
            if (own.GetValueOrDefault(controllers) != path && FindDirectory(controllers, path) is { } directory)
            {
                if (controllers.Length == 0)
                {
                    unified = directory;
                }
                else
                {
                    others.Add(directory + "/cgroup.procs");
                }
            }
        }

        return (unified, others);
    }

    /// <summary>The mounted hierarchies of control groups.</summary>
    internal static IEnumerable<ControlGroupHierarchy> Hierarchies() =>
        MountTable.Read(line => line.Contains(" - cgroup", StringComparison.Ordinal))
            .Where(m => m.Type is "cgroup" or "cgroup2")
            .Select(m => new ControlGroupHierarchy(m.Point, m.Root, m.Type == "cgroup2", m.Options));

    /// <summary>The control groups of this process by controllers, as in <c>/proc/self/cgroup</c>: those of version 2 are empty.</summary>
    internal static IReadOnlyDictionary<string, string> OfThisProcess() => Read("/proc/self/cgroup");

    /// <summary>The directory of a control group; null if its hierarchy is not mounted, or not so that the group shows.</summary>
    /// <param name="controllers">As in <c>/proc/PID/cgroup</c>: empty for version 2, else the controllers or <c>name=NAME</c>.</param>
    /// <param name="path">As there.</param>
    internal static string? FindDirectory(string controllers, string path) =>
        Hierarchies()
            .Where(h => controllers.Length == 0 ? h.IsVersion2 : !h.IsVersion2 && controllers.Split(',').All(h.Options.Contains))
            .Select(h => h.Locate(path))
            .FirstOrDefault(Directory.Exists);

    /// <summary>The directory of this process in the version 1 hierarchy that has a controller; null if none that shows has it.</summary>
    internal static string? OwnVersion1(string controller)
    {
        foreach ((string controllers, string path) in OfThisProcess())
        {
            if (controllers.Split(',').Contains(controller))
            {
                return FindDirectory(controllers, path);
            }
        }

        return null;
    }

    /// <summary>Whether systemd has left a version 2 group to those who live in it: it marks such groups with an attribute.</summary>
    internal static unsafe bool IsDelegated(string directory)
    {
        foreach (string name in (string[])["trusted.delegate", "user.delegate"])
        {
            byte value;
            fixed (byte* path = Fd.PathBytes(directory), attribute = Fd.PathBytes(name))
            {
                if (Libc.getxattr(path, attribute, &value, 1) == 1 && value == (byte)'1')
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Gives a file or directory of a control group to a user and the group of the same number.</summary>
    internal static unsafe void Give(string path, uint owner)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.fchownat(Libc.AT_FDCWD, p, owner, owner, Libc.AT_SYMLINK_NOFOLLOW), $"chown {path}");
        }
    }

    private static Dictionary<string, string> Read(string file)
    {
        Dictionary<string, string> groups = new(StringComparer.Ordinal);
        foreach (string line in File.ReadLines(file))
        {
            string[] parts = line.Split(':', 3);
            if (parts.Length == 3)
            {
                groups[parts[1]] = parts[2];
            }
        }

        return groups;
    }
}
