using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Limits;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// The limits of an app in a pod that runs: made of the controllers that the pod was given when it was launched, from whatever
/// process. What is made lies in the pod's own groups, and so goes with the pod, whoever of us was killed.
/// </summary>
internal sealed class RunningLimits
{
    private readonly Stage1Pod _pod;
    private readonly PodPaths _paths;
    private readonly string _group;
    private readonly List<(string Controller, string Directory)> _version1 = [];
    private readonly HashSet<string> _version2;

    private RunningLimits(Stage1Pod pod, PodPaths paths, string group)
    {
        _pod = pod;
        _paths = paths;
        _group = group;
        string[] recorded = [.. (PodPaths.ReadText(paths.Limits) ?? "").Split('\n').Where(d => PodCGroup.IsOf(d, pod.Uuid))];
        foreach (string controller in LimitHost.OfApps)
        {
            // Shown to the systemd inside, too: it was made for this controller.
            if (Directory.Exists(Path.Combine(paths.Files, PodLimits.FilesName, controller)) && recorded.FirstOrDefault(d => LimitFiles.IsVersion1(d, controller)) is { } directory)
            {
                _version1.Add((controller, directory));
            }
        }

        // What systemd-nspawn has handed on when it began: the systemd inside has looked once, and knows of no other.
        _version2 = [.. (PodPaths.ReadText(group + "/cgroup.subtree_control") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)];
    }

    /// <summary>Looks at what there is; null for a pod without a control group, which has ended or not begun.</summary>
    internal static RunningLimits? Find(Stage1Pod pod)
    {
        PodPaths paths = new(pod);
        return PodPaths.ReadText(paths.CGroup) is { Length: > 0 } group && PodCGroup.IsOf(group, pod.Uuid) ? new RunningLimits(pod, paths, group) : null;
    }

    /// <summary>What an app that is added can be limited by.</summary>
    internal LimitHost Host(LimitHost host) => LimitHost.OfPod(_version1.ToDictionary(), new DelegatedGroup(_group, [.. _version2]), host);

    /// <exception cref="LaunchException">The app has limits that contradict each other.</exception>
    internal static void Check(Stage1App app, string subject)
    {
        if (RestartAnnotations.Find(app.Runtime) is not null && LimitsOf(app, subject).NetworkBytes is not null)
        {
            throw PodLimits.LostNetworkLimit(app, subject);
        }
    }

    /// <summary>Makes what limits an app, before its units are there. What the pod has no controller for was reported before.</summary>
    /// <param name="app">The app, which is among the pod's.</param>
    /// <param name="owner">The host's id of the pod's root.</param>
    internal void Add(NspawnApp app, uint owner)
    {
        ResourceLimits limits = LimitsOf(app.App, Subject);
        bool moves = MakeVersion1(app.Name, limits, owner);
        LimitUnits.Write(_paths, app, limits, _version2, moves, [], mutable: true);
        WriteRequests(_pod.Apps);
    }

    /// <summary>Does once more, before an app starts again, what the end of it has undone.</summary>
    internal void Renew(NspawnApp app, uint owner)
    {
        ResourceLimits limits = LimitsOf(app.App, Subject);
        foreach ((_, string directory) in _version1.Where(v => limits.Concern(v.Controller)))
        {
            // Made anew, as the kernel counts in it whom it has killed: by this the app's end is told from other kills.
            PodCGroup.TryRemove(AppGroups.LimitedOf(directory, app.Name));
        }

        MakeVersion1(app.Name, limits, owner);
        foreach (string unit in app.UnitNames)
        {
            if (File.Exists(Path.Combine(_paths.Units, LimitUnits.MoverOf(unit))))
            {
                AppGroups.MakeFrozen(_group, unit, owner);
            }

            if (limits.NetworkBytes is { } network)
            {
                NetworkLimit.Attach(AppGroups.Make(_group, unit, owner), network, Subject);
            }
        }
    }

    /// <summary>Takes away the groups of an app that does not run. Safe to repeat.</summary>
    /// <exception cref="LaunchException">Processes are left in one of them.</exception>
    internal async Task RemoveAsync(AcName app, IEnumerable<string> units, TimeProvider time, CancellationToken cancellationToken)
    {
        // Also those of an app that was never started, of which the systemd inside knows nothing.
        foreach (string group in (IEnumerable<string>)[.. units.Select(u => AppGroups.OfUnit(_group, u)), .. _version1.Select(v => AppGroups.LimitedOf(v.Directory, app))])
        {
            if (!await PodCGroup.RemoveAsync(group, time, cancellationToken).ConfigureAwait(false))
            {
                throw new LaunchException("remove the app", 0, $"{Subject}: processes of the app {app} are left in the control group {group}", "Stop the pod.");
            }
        }

        WriteRequests(_pod.Apps.Where(a => a.Name != app));
    }

    private static ResourceLimits LimitsOf(Stage1App app, string subject) => ResourceLimits.FromIsolators(app.App.Isolators, $"{subject}: the app {app.Name}");

    private string Subject => "pod " + _pod.Uuid;

    private bool MakeVersion1(AcName app, ResourceLimits limits, uint owner)
    {
        bool made = false;
        foreach ((string controller, string directory) in _version1.Where(v => limits.Concern(v.Controller)))
        {
            AppGroups.MakeLimited(directory, controller, app, limits, owner);
            made = true;
        }

        return made;
    }

    /// <summary>Promises to the pod what is promised to its apps: in version 2 the one does not hold without the other.</summary>
    private void WriteRequests(IEnumerable<Stage1App> apps)
    {
        if (_version2.Contains(LimitHost.Memory) && ResourceLimits.FromIsolators(_pod.Manifest.Isolators, Subject).MemoryRequest is null)
        {
            long sum = PodLimits.SumOfRequests(apps.Select(a => LimitsOf(a, Subject))) ?? 0;
            LimitFiles.WriteVersion2(_group, LimitHost.Memory, new ResourceLimits { MemoryRequest = sum }, []);
        }
    }
}
