using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Limits;

namespace Appc.Stage1.Nspawn;

/// <summary>The control groups of apps that are made out here: in version 1 hierarchies to limit them, in that of version 2 before the systemd inside makes them.</summary>
internal static class AppGroups
{
    // Where systemd-nspawn puts the pod's own processes below the pod's group, and the systemd inside its services.
    private const string Services = "payload/system.slice";

    /// <summary>The group of an app in the pod's group of a version 1 hierarchy.</summary>
    internal static string LimitedOf(string directory, AcName app) => $"{directory}/app-{app}";

    /// <summary>The version 2 group of a unit.</summary>
    internal static string OfUnit(string group, string unit) => $"{group}/{Services}/{unit}";

    /// <summary>Makes the group that limits an app.</summary>
    /// <param name="directory">The pod's group in a version 1 hierarchy.</param>
    /// <param name="controller">The controller whose limits are set.</param>
    /// <param name="app">The app.</param>
    /// <param name="limits">Its limits.</param>
    /// <param name="owner">The host's id of the pod's root.</param>
    internal static void MakeLimited(string directory, string controller, AcName app, ResourceLimits limits, uint owner)
    {
        string own = LimitedOf(directory, app);
        Directory.CreateDirectory(own);
        LimitFiles.WriteVersion1(own, controller, limits);

        // The pod's root may put processes of its own there, and can change nothing else.
        ControlGroups.Give(own + "/cgroup.procs", owner);
    }

    /// <summary>Makes the group of a unit before systemd does, frozen.</summary>
    internal static void MakeFrozen(string group, string unit, uint owner)
    {
        string directory = Make(group, unit, owner);
        File.WriteAllText(directory + PodCGroup.FreezeFile, "1");
        ControlGroups.Give(directory + PodCGroup.FreezeFile, owner);
    }

    /// <summary>Makes the group of a unit before systemd does.</summary>
    internal static string Make(string group, string unit, uint owner)
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
}
