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

    /// <summary>Where the systemd inside sees the groups, among the pod's files.</summary>
    internal const string FilesName = "limits";

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

    /// <summary>What to do where the pod has not come so far as to start its apps; null if nothing limits it.</summary>
    internal string? HintForMemory => _ofPod.HintForMemory;

    /// <summary>The group to make the pod's in, for controllers of version 2; null if it does not matter.</summary>
    internal string? Parent { get; private set; }

    /// <summary>Finds out what is to be limited, and by what. What this host cannot do was reported before.</summary>
    internal static PodLimits Decide(Stage1Pod pod, string subject, LimitHost? host = null)
    {
        PodLimits limits = new(
            pod,
            ResourceLimits.FromIsolators(pod.Manifest.Isolators, subject),
            pod.Apps.ToDictionary(a => a.Name, a => ResourceLimits.FromIsolators(a.App.Isolators, $"{subject}: the app {a.Name}")));

        if ((pod.Apps.Count > 1 || pod.Mutable)
            && pod.Apps.FirstOrDefault(a => RestartAnnotations.Find(a.Runtime) is not null && limits._ofApps[a.Name].NetworkBytes is not null) is { } both)
        {
            throw LostNetworkLimit(both, subject);
        }

        // Apps that come later can be limited by what the pod was given at its launch.
        string[] wanted = [.. LimitHost.Controllers.Where(c => limits.Concern(c) || (pod.Mutable && LimitHost.OfApps.Contains(c)))];
        if (wanted.Length == 0)
        {
            return limits;
        }

        host ??= LimitHost.Find();
        foreach (string controller in wanted.Where(c => host.WhyNot(c) is null))
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

    /// <summary>The network of an app is limited by a program on the group of its unit, which systemd removes when the app ends.</summary>
    internal static LaunchException LostNetworkLimit(Stage1App app, string subject) => new(
        "prepare the limits", 0, $"{subject}: the app {app.Name} has a limit of network of its own, which would be lost when it is started again",
        "Give the limit to the pod, or the app no restart policy.");

    /// <summary>What is promised to an app can be kept only if as much is promised to the pod.</summary>
    internal static long? SumOfRequests(IEnumerable<ResourceLimits> limits)
    {
        long[] requests = [.. limits.Select(a => a.MemoryRequest).OfType<long>()];
        return requests.Length == 0 ? null : requests.Aggregate(0L, (sum, r) => sum + Math.Min(r, long.MaxValue - sum));
    }

    /// <summary>Makes the groups, and writes what the systemd inside must know.</summary>
    /// <param name="apps">The apps.</param>
    /// <param name="paths">Where the pod's files are.</param>
    /// <param name="group">The pod's version 2 group, which is there.</param>
    /// <param name="owner">The host's id of the pod's root.</param>
    /// <param name="before">Units that come before those of the apps, beside the limits' own.</param>
    internal void Prepare(IReadOnlyList<NspawnApp> apps, PodPaths paths, string group, uint owner, IReadOnlyList<string> before)
    {
        PrepareVersion1(paths, owner);
        PrepareVersion2(group);
        PrepareNetwork(apps, group, owner);
        string[] first = [.. before, .. PodParameters.Write(_pod, paths) ? (string[])[PodParameters.Unit] : []];
        foreach (NspawnApp app in apps)
        {
            bool moves = _version1.Any(v => _ofApps[app.Name].Concern(v.Controller));
            foreach (string unit in app.MovedUnitNames.Where(_ => moves))
            {
                AppGroups.MakeFrozen(group, unit, owner);
            }

            LimitUnits.Write(paths, app, _ofApps[app.Name], _version2, moves, first, _pod.Mutable);
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
            plan.Attach(ShowStep, tree, $"{files}/{FilesName}/{controller}");
        }
    }

    private bool Concern(string controller) => _ofPod.Concern(controller) || _ofApps.Values.Any(a => a.Concern(controller));

    private void PrepareVersion1(PodPaths paths, uint owner)
    {
        if (_version1.Count == 0)
        {
            return;
        }

        PodPaths.WriteText(paths.Limits, string.Join('\n', _version1.Select(v => v.Directory)));
        foreach ((string controller, string directory) in _version1.ToArray())
        {
            try
            {
                Directory.CreateDirectory(directory);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && !Concern(controller))
            {
                // It was for apps that may come: of one that would need it this is reported then.
                _version1.RemoveAll(v => v.Controller == controller);
                continue;
            }

            PodFilesWriter.MakeReadable(Path.Combine(paths.Files, FilesName));
            PodFilesWriter.MakeReadable(Path.Combine(paths.Files, FilesName, controller));
            LimitFiles.WriteVersion1(directory, controller, _ofPod);
            foreach ((AcName app, ResourceLimits limits) in _ofApps.Where(a => a.Value.Concern(controller)))
            {
                AppGroups.MakeLimited(directory, controller, app, limits, owner);
            }
        }
    }

    private void PrepareVersion2(string group)
    {
        if (_version2.Count == 0)
        {
            return;
        }

        try
        {
            File.WriteAllText(Parent + "/cgroup.subtree_control", string.Join(' ', _version2.Select(c => "+" + c)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && !_version2.Any(Concern))
        {
            // As above.
            _version2.Clear();
            return;
        }

        ResourceLimits limits = _ofPod with { MemoryRequest = _ofPod.MemoryRequest ?? SumOfRequests(_ofApps.Values) };
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
                    NetworkLimit.Attach(AppGroups.Make(group, unit, owner), own, subject);
                }
            }
        }
    }
}
