using Appc.Linux;
using Appc.Stage1.Nspawn;

namespace Appc.Stage1.Limits;

/// <summary>Where this host can limit what: each controller belongs to one hierarchy, of version 1 or 2.</summary>
internal sealed class LimitHost
{
    internal const string Memory = "memory";
    internal const string Cpu = "cpu";
    internal const string Io = "io";

    internal static readonly IReadOnlyList<string> Controllers = [Memory, Cpu, Io];

    /// <summary>Those that limit one app among several.</summary>
    internal static readonly IReadOnlyList<string> OfApps = [Memory, Cpu];

    private readonly IReadOnlyDictionary<string, string> _version1;

    // Where the limits of an app in a running pod can be made; those of pods can be anywhere.
    private readonly LimitHost? _around;

    internal LimitHost(IReadOnlyDictionary<string, string> version1, DelegatedGroup version2)
        : this(version1, version2, null)
    {
    }

    private LimitHost(IReadOnlyDictionary<string, string> version1, DelegatedGroup version2, LimitHost? around)
    {
        _around = around;
        _version1 = version1;
        Version2 = version2;
    }

    /// <summary>Where groups of version 2 with controllers can be made.</summary>
    internal DelegatedGroup Version2 { get; }

    /// <summary>A host that limits nothing, for pods that are not limited.</summary>
    internal static LimitHost None { get; } = new(new Dictionary<string, string>(), new DelegatedGroup(null, []));

    /// <summary>What the apps of a running pod can be limited by: its own controllers.</summary>
    /// <param name="version1">The pod's groups in version 1 hierarchies.</param>
    /// <param name="version2">The pod's group.</param>
    /// <param name="host">The host.</param>
    internal static LimitHost OfPod(IReadOnlyDictionary<string, string> version1, DelegatedGroup version2, LimitHost host) => new(version1, version2, host);

    /// <summary>Looks around for this process.</summary>
    /// <param name="delegated">A version 2 group in which others can be made; null for where this process may make them.</param>
    internal static LimitHost Find(string? delegated = null)
    {
        Dictionary<string, string> version1 = new(StringComparer.Ordinal);
        foreach (string controller in Controllers)
        {
            if (ControlGroups.OwnVersion1(controller == Io ? "blkio" : controller) is { } directory)
            {
                version1[controller] = directory;
            }
        }

        DelegatedGroup none = new(null, [], "no version 2 control group hierarchy is mounted");
        return new LimitHost(
            version1,
            delegated is not null ? DelegatedGroup.Of(delegated)
                : version1.Count == Controllers.Count || PodCGroup.FindHierarchy() is null ? none
                : PodCGroup.FindOwn("this process") is var (mountPoint, own) ? DelegatedGroup.Find(mountPoint, own, ControlGroups.IsDelegated) : none);
    }

    /// <summary>The group of this process in the version 1 hierarchy of a controller; null if it has none.</summary>
    internal string? Version1(string controller) => _version1.GetValueOrDefault(controller);

    /// <summary>Why a controller cannot be used; null if it can.</summary>
    internal (string Reason, string? Hint)? WhyNot(string controller)
    {
        const string Hint = "Use a host with version 2 control groups.";
        if (_around is not null)
        {
            // Block devices are limited for whole pods, if at all, and whether at all is up to the host.
            return controller == Io ? _around.Version1(Io) is null ? null : _around.WhyNot(Io)
                : _version1.ContainsKey(controller) || Version2.Controllers.Contains(controller) ? null
                : _around.WhyNot(controller) is var (reason, hint) ? ($"the pod has no controller for {controller}: {reason}", hint)
                : ($"the pod was started without a controller for {controller}", "Start the pod once more: what apps may need is given to a mutable pod when it starts.");
        }

        return controller == Io && _version1.ContainsKey(controller)
                ? ("version 1 control groups do not limit what is written through the page cache", Hint)
            : _version1.ContainsKey(controller) ? null
            : Version2.Directory is null ? (Version2.Problem!, Version2.Hint)
            : Version2.Controllers.Contains(controller) ? null
            : ($"the control group {Version2.Directory} has no controller for {controller}", "The kernel may have been started without it, or a unit above does not delegate it.");
    }
}
