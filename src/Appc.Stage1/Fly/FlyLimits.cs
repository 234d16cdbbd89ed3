using Appc.Linux;
using Appc.Stage1.Limits;
using Appc.Stage1.Nspawn;

namespace Appc.Stage1.Fly;

/// <summary>The control groups of a fly pod, which limit it or are asked for: its first process enters them before anything else.</summary>
internal sealed class FlyLimits
{
    private readonly List<string> _groups;

    private FlyLimits(List<string> groups) => _groups = groups;

    /// <summary>What to do where the pod has not come so far as to be the app; null if nothing limits it.</summary>
    internal string? HintForMemory { get; private init; }

    /// <summary>Whether the pod has no groups of its own.</summary>
    internal bool IsEmpty => _groups.Count == 0;

    /// <summary>Makes the groups. What this host cannot limit was reported before.</summary>
    internal static FlyLimits Prepare(Stage1Pod pod, string subject)
    {
        ResourceLimits limits = ResourceLimits.FromIsolators(pod.Manifest.Isolators, subject)
            .Within(ResourceLimits.FromIsolators(pod.Apps[0].App.Isolators, $"{subject}: the app {pod.Apps[0].Name}"));
        string[] needed = [.. LimitHost.Controllers.Where(limits.Concern)];
        if (needed.Length == 0 && limits.NetworkBytes is null && !pod.Options.OwnControlGroup)
        {
            return new FlyLimits([]);
        }

        LimitHost host = needed.Length == 0 ? LimitHost.None : LimitHost.Find();
        var places = needed.Where(c => host.WhyNot(c) is null)
            .Select(c => (Controller: c, Version1: host.Version1(c) is not null, Group: $"{(host.Version1(c) ?? host.Version2.Directory!).TrimEnd('/')}/{PodCGroup.NameOf(pod.Uuid)}"))
            .ToList();
        if (pod.Options.OwnControlGroup && places.All(p => p.Version1))
        {
            places.Add((string.Empty, true, $"{FindOwn(subject)}/{PodCGroup.NameOf(pod.Uuid)}"));
        }

        string? network = limits.NetworkBytes is null || PodCGroup.FindHierarchy() is null ? null
            : places.Find(p => !p.Version1).Group ?? $"{PodCGroup.FindOwn(subject).Own}/{PodCGroup.NameOf(pod.Uuid)}";
        FlyLimits groups = new([.. places.Select(p => p.Group).Concat(network is null ? [] : [network]).Distinct()]) { HintForMemory = limits.HintForMemory };
        string record = RecordOf(pod);
        PodFilesWriter.MakePrivate(Path.GetDirectoryName(record)!);
        PodPaths.WriteText(record, string.Join('\n', groups._groups));
        try
        {
            foreach ((string controller, bool version1, string group) in places)
            {
                if (version1)
                {
                    Directory.CreateDirectory(group);
                    if (controller.Length > 0)
                    {
                        LimitFiles.WriteVersion1(group, controller, limits);
                    }
                }
                else
                {
                    File.WriteAllText(host.Version2.Directory + "/cgroup.subtree_control", "+" + controller);
                    Directory.CreateDirectory(group);
                    LimitFiles.WriteVersion2(group, controller, limits, controller == LimitHost.Io ? LimitFiles.Disks() : []);
                }
            }

            if (network is not null)
            {
                Directory.CreateDirectory(network);
                NetworkLimit.Attach(network, limits.NetworkBytes!.Value, subject);
            }
        }
        catch
        {
            groups.Abandon();
            throw;
        }

        return groups;
    }

    /// <summary>Has the child enter the groups.</summary>
    internal void Join(LaunchPlan plan) => _groups.ForEach(g => plan.WriteFile("enter the control groups", g + "/cgroup.procs", "0"u8));

    /// <summary>Removes the groups, in which nobody is.</summary>
    internal void Abandon() => _groups.ForEach(g => PodCGroup.TryRemove(g));

    /// <summary>Removes the groups of an ended pod; false if processes are left in one of them. Safe to repeat.</summary>
    internal static async Task<bool> RemoveAsync(Stage1Pod pod, TimeProvider time, CancellationToken cancellationToken)
    {
        bool all = true;
        foreach (string group in GroupsOf(pod))
        {
            all &= await PodCGroup.RemoveAsync(group, time, cancellationToken).ConfigureAwait(false);
        }

        return all;
    }

    /// <summary>Where a group that limits nothing is made.</summary>
    private static string FindOwn(string subject) =>
        PodCGroup.FindHierarchy() is not null ? PodCGroup.FindOwn(subject).Own
            : ControlGroups.OwnVersion1("freezer")?.TrimEnd('/') ?? throw new LaunchException("find the control group", 0, $"{subject}: no control groups are mounted");

    /// <summary>How many of the pod's groups are there.</summary>
    internal static int CountGroups(Stage1Pod pod) => GroupsOf(pod).Count(Directory.Exists);

    private static IEnumerable<string> GroupsOf(Stage1Pod pod) =>
        (PodPaths.ReadText(RecordOf(pod)) ?? "").Split('\n').Where(g => PodCGroup.IsOf(g, pod.Uuid));

    private static string RecordOf(Stage1Pod pod) => Path.Combine(pod.Directory, "stage1", "limits");
}
