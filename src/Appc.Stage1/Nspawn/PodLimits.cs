using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Limits;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// The limits on resources of a pod and its apps, made before the pod is launched. In version 2 control groups the
/// systemd inside sets those of the apps. In version 1 hierarchies each app has a group of its own, made out here, and
/// is put into it while it is frozen; a pod with limits of its own is launched into its group.
/// </summary>
internal sealed class PodLimits
{
    private const ulong Plain = Libc.MOUNT_ATTR_NOSUID | Libc.MOUNT_ATTR_NODEV | Libc.MOUNT_ATTR_NOEXEC;

    private const string ShowStep = "show the control groups of the apps";

    // Where systemd-nspawn puts the pod's own processes below the pod's group, and the systemd inside its services.
    private const string Services = "payload/system.slice";

    private readonly Stage1Pod _pod;
    private readonly ResourceLimits _ofPod;
    private readonly Dictionary<AcName, ResourceLimits> _ofApps;
    private readonly List<(string Controller, string Directory)> _version1 = [];
    private readonly List<string> _version2 = [];

    private PodLimits(Stage1Pod pod, ResourceLimits ofPod, Dictionary<AcName, ResourceLimits> ofApps)
    {
        _pod = pod;
        _ofPod = ofPod;
        _ofApps = ofApps;
    }

    /// <summary>The group to make the pod's in, for controllers of version 2; null if it does not matter.</summary>
    internal string? Parent { get; private set; }

    /// <summary>Finds out what is to be limited, and by what. What this host cannot do was reported before.</summary>
    internal static PodLimits Decide(Stage1Pod pod, string subject, LimitHost? host = null)
    {
        PodLimits limits = new(
            pod,
            ResourceLimits.FromIsolators(pod.Manifest.Isolators, subject),
            pod.Apps.ToDictionary(a => a.Name, a => ResourceLimits.FromIsolators(a.App.Isolators, $"{subject}: the app {a.Name}")));
        string[] needed = [.. LimitHost.Controllers.Where(limits.Concern)];
        if (needed.Length == 0)
        {
            return limits;
        }

        host ??= LimitHost.Find();
        if (pod.Apps.Count > 1 && pod.Apps.FirstOrDefault(a => RestartAnnotations.Find(a.Runtime) is not null && limits._ofApps[a.Name].NetworkBytes is not null) is { } both)
        {
            throw new LaunchException(
                "prepare the limits", 0, $"{subject}: the app {both.Name} has a limit of network of its own, which would be lost when it is started again",
                "Give the limit to the pod, or the app no restart policy.");
        }

        foreach (string controller in needed.Where(c => host.WhyNot(c) is null))
        {
            if (host.Version1(controller) is { } own)
            {
                limits._version1.Add((controller, $"{own.TrimEnd('/')}/{PodCGroup.NameOf(pod.Uuid)}"));
            }
            else
            {
                limits._version2.Add(controller);
                limits.Parent = host.Version2.Directory;
            }
        }

        return limits;
    }

    /// <summary>Does once more, before an app starts again, what the end of it has undone.</summary>
    internal static void Renew(PodPaths paths, NspawnApp app, string group, uint owner, string subject)
    {
        foreach (string unit in app.UnitNames)
        {
            if (File.Exists(Path.Combine(paths.Units, MoverOf(unit))))
            {
                MakeFrozen(group, unit, owner);
            }

            if (ResourceLimits.FromIsolators(app.App.App.Isolators, subject).NetworkBytes is { } network)
            {
                NetworkLimit.Attach(MakeGroup(group, unit, owner), network, subject);
            }
        }
    }

    /// <summary>Makes the groups, and writes what the systemd inside must know.</summary>
    /// <param name="apps">The apps.</param>
    /// <param name="paths">Where the pod's files are.</param>
    /// <param name="group">The pod's version 2 group, which is there.</param>
    /// <param name="owner">The host's id of the pod's root.</param>
    internal void Prepare(IReadOnlyList<NspawnApp> apps, PodPaths paths, string group, uint owner)
    {
        PrepareVersion1(paths, owner);
        PrepareVersion2(group);
        PrepareNetwork(apps, group, owner);
        bool parameters = PodParameters.Write(_pod, paths);
        foreach (NspawnApp app in apps)
        {
            string[] units = app.PreStart is null ? [app.UnitName] : [app.PreStartUnitName, app.UnitName];
            bool moves = _version1.Any(v => _ofApps[app.Name].Concern(v.Controller));
            foreach (string unit in units)
            {
                if (moves)
                {
                    MakeFrozen(group, unit, owner);
                    PodFilesWriter.WriteFile(Path.Combine(paths.Units, MoverOf(unit)), MoverText(unit, app));
                }

                WriteSettings(paths, unit, [.. parameters ? [PodParameters.Unit] : (string[])[], .. moves ? [MoverOf(unit)] : (string[])[]], app);
            }

            if (app.PostStop is not null)
            {
                WriteSettings(paths, app.PostStopUnitName, [], app);
            }
        }
    }

    /// <summary>Has the child enter the groups that limit the whole pod, so that all of it is born there.</summary>
    internal void Join(LaunchPlan plan)
    {
        foreach ((_, string directory) in _version1.Where(v => _ofPod.Concern(v.Controller)))
        {
            plan.WriteFile("enter the control groups", directory + "/cgroup.procs", "0"u8);
        }
    }

    /// <summary>Takes hold of the apps' groups while the host's hierarchies still show.</summary>
    internal IReadOnlyList<(string Controller, LaunchArgument Tree)> Take(LaunchPlan plan) =>
        [.. _version1.Select(v =>
        {
            LaunchArgument tree = plan.CloneTree(ShowStep, v.Directory, recursive: false);
            plan.SetAttributes(ShowStep, tree, Plain);
            return (v.Controller, tree);
        })];

    /// <summary>Shows the apps' groups to the systemd inside.</summary>
    internal static void Show(LaunchPlan plan, IEnumerable<(string Controller, LaunchArgument Tree)> taken, string files)
    {
        foreach ((string controller, LaunchArgument tree) in taken)
        {
            plan.Attach(ShowStep, tree, $"{files}/limits/{controller}");
        }
    }

    internal static string MoverOf(string unit) => "limit-" + unit;

    private static string GroupOf(AcName app) => $"app-{app}";

    private bool Concern(string controller) => _ofPod.Concern(controller) || _ofApps.Values.Any(a => a.Concern(controller));

    private void PrepareVersion1(PodPaths paths, uint owner)
    {
        if (_version1.Count == 0)
        {
            return;
        }

        PodPaths.WriteText(paths.Limits, string.Join('\n', _version1.Select(v => v.Directory)));
        foreach ((string controller, string directory) in _version1)
        {
            PodFilesWriter.MakeReadable(Path.Combine(paths.Files, "limits"));
            PodFilesWriter.MakeReadable(Path.Combine(paths.Files, "limits", controller));
            Directory.CreateDirectory(directory);
            LimitFiles.WriteVersion1(directory, controller, _ofPod);
            foreach ((AcName app, ResourceLimits limits) in _ofApps.Where(a => a.Value.Concern(controller)))
            {
                string own = $"{directory}/{GroupOf(app)}";
                Directory.CreateDirectory(own);
                LimitFiles.WriteVersion1(own, controller, limits);

                // The pod's root may put processes of its own there, and can change nothing else.
                ControlGroups.Give(own + "/cgroup.procs", owner);
            }
        }
    }

    private void PrepareVersion2(string group)
    {
        if (_version2.Count == 0)
        {
            return;
        }

        File.WriteAllText(Parent + "/cgroup.subtree_control", string.Join(' ', _version2.Select(c => "+" + c)));
        ResourceLimits limits = _ofPod with { MemoryRequest = _ofPod.MemoryRequest ?? SumOfRequests() };
        if (_pod.Apps.Count == 1 && !_pod.Mutable)
        {
            // The devices have no names inside, so what the only app may do to them is what the pod may.
            ResourceLimits both = _ofPod.Within(_ofApps[_pod.Apps[0].Name]);
            limits = limits with { BlockBytes = both.BlockBytes, BlockOperations = both.BlockOperations };
        }

        foreach (string controller in _version2)
        {
            LimitFiles.WriteVersion2(group, controller, limits, controller == LimitHost.Io ? LimitFiles.Disks() : []);
        }
    }

    /// <summary>Each packet counts for the app's group and for the pod's, so both are limited by programs of their own.</summary>
    private void PrepareNetwork(IReadOnlyList<NspawnApp> apps, string group, uint owner)
    {
        ResourceLimits ofPod = apps.Count == 1 && !_pod.Mutable ? _ofPod.Within(_ofApps[apps[0].Name]) : _ofPod;
        string subject = "pod " + _pod.Uuid;
        if (ofPod.NetworkBytes is { } limit)
        {
            NetworkLimit.Attach(group, limit, subject);
        }

        foreach (NspawnApp app in apps.Where(_ => apps.Count > 1 || _pod.Mutable))
        {
            if (_ofApps[app.Name].NetworkBytes is { } own)
            {
                foreach (string unit in app.UnitNames)
                {
                    NetworkLimit.Attach(MakeGroup(group, unit, owner), own, subject);
                }
            }
        }
    }

    /// <summary>What is promised to an app can be kept only if as much is promised to the pod.</summary>
    private long? SumOfRequests()
    {
        long[] requests = [.. _ofApps.Values.Select(a => a.MemoryRequest).OfType<long>()];
        return requests.Length == 0 ? null : requests.Aggregate(0L, (sum, r) => sum + Math.Min(r, long.MaxValue - sum));
    }

    /// <summary>Makes the group of a unit before systemd does, frozen.</summary>
    private static void MakeFrozen(string group, string unit, uint owner)
    {
        string directory = MakeGroup(group, unit, owner);
        File.WriteAllText(directory + "/cgroup.freeze", "1");
        ControlGroups.Give(directory + "/cgroup.freeze", owner);
    }

    private static string MakeGroup(string group, string unit, uint owner)
    {
        string directory = group;
        foreach (string name in $"{Services}/{unit}".Split('/'))
        {
            directory += "/" + name;
            Directory.CreateDirectory(directory);
            foreach (string file in (string[])["", "/cgroup.procs", "/cgroup.threads", "/cgroup.subtree_control"])
            {
                ControlGroups.Give(directory + file, owner);
            }
        }

        return directory;
    }

    private static string MoverText(string unit, NspawnApp app)
    {
        UnitText text = new UnitText().Section("Unit")
            .Set("DefaultDependencies", "no")
            .Set("StopWhenUnneeded", "yes")
            .Set("FailureAction", "exit-force")
            .Set("Conflicts", Stage1TreeFiles.EndUnit).Set("Before", Stage1TreeFiles.EndUnit);
        if (app.PreStart is not null && unit == app.UnitName)
        {
            // It waits for the unit's first process, and should not wait for long.
            text.Set("Requires", app.PreStartUnitName).Set("After", app.PreStartUnitName);
        }

        PodRestarts.WriteMover(text, app);
        text.Section("Service");
        if (app.Restart is not null)
        {
            // Systemd removes the group when the app has ended.
            text.Set("ExecStartPre", $"/usr/bin/dash /usr/lib/appc/freeze {unit}");
        }

        return text.Set("Type", "simple").Set("ExecStart", $"/usr/bin/dash /usr/lib/appc/limit {unit} {app.Name}").ToString();
    }

    /// <summary>Adds to a unit what it needs before it, and the limits that the systemd inside sets.</summary>
    private void WriteSettings(PodPaths paths, string unit, IReadOnlyList<string> before, NspawnApp app)
    {
        UnitText text = new UnitText().Section("Unit");
        foreach (string needed in before)
        {
            text.Set("Requires", needed).Set("After", needed);
        }

        List<(string Name, string Value)> settings = [.. Settings(_ofApps[app.Name])];
        if (before.Count == 0 && settings.Count == 0)
        {
            return;
        }

        text.Section("Service");
        settings.ForEach(s => text.Set(s.Name, s.Value));
        string directory = Path.Combine(paths.Units, unit + ".d");
        PodFilesWriter.MakeReadable(directory);
        PodFilesWriter.WriteFile(Path.Combine(directory, "limits.conf"), text.ToString());
    }

    private IEnumerable<(string Name, string Value)> Settings(ResourceLimits limits)
    {
        if (_version2.Contains(LimitHost.Memory))
        {
            if (limits.Memory is { } memory)
            {
                yield return ("MemoryMax", memory.ToString(CultureInfo.InvariantCulture));
                yield return ("MemorySwapMax", "0");
            }

            if (limits.MemoryRequest is { } request)
            {
                yield return ("MemoryLow", request.ToString(CultureInfo.InvariantCulture));
            }
        }

        if (_version2.Contains(LimitHost.Cpu))
        {
            if (limits.Cpu is { } cpu)
            {
                yield return ("CPUQuota", string.Create(CultureInfo.InvariantCulture, $"{cpu / 10}.{cpu % 10}%"));
            }

            if (LimitFiles.Weight(limits.CpuShares) is { } weight)
            {
                yield return ("CPUWeight", weight.ToString(CultureInfo.InvariantCulture));
            }
        }
    }
}
