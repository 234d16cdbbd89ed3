using System.Globalization;
using Appc.Linux;
using Appc.Pods;
using Appc.Stage1.Isolation;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// The <c>/dev</c> of an app. Each app has one of its own: in that of the pod, which the pod's systemd and every other app would use
/// too, root of one app could put what it likes in the place of <c>/dev/null</c> or <c>/dev/urandom</c>.
/// </summary>
internal static class AppDevices
{
    private const string Place = "/dev";
    private const string Console = "console";
    private const uint Directory = 0x1ed;
    private const uint CharacterDevice = 0x2000;
    private const uint ForAll = 0x1b6;

    private static readonly (string Name, uint Major, uint Minor)[] Nodes =
        [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

    private static readonly (string Name, string Target)[] Links =
        [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx")];

    // What apps of a pod share, as they do their IPC namespace; the pod's systemd has nothing in it.
    private static readonly string[] Shared = ["mqueue", "pts", "shm"];

    /// <summary>Steps that mount it in the app's root, before any volume: these may lie in it.</summary>
    internal static void Attach(LaunchPlan plan, NspawnApp app, IdMap ids, SecurityLabels labels, LaunchArgument root)
    {
        if (!AreOwn(app))
        {
            return;
        }

        string step = $"make /dev of the app {app.Name}";
        string owner = ids.First.ToString(CultureInfo.InvariantCulture);
        LaunchArgument tree = plan.NewFileSystem(
            step,
            "tmpfs",
            Libc.MOUNT_ATTR_NOSUID,
            [("mode", "0755"), ("uid", owner), ("gid", owner), ("size", "4m"), ("nr_inodes", "64k"), .. labels.SelinuxFileContext is { } context ? ((string, string?)[])[("context", context)] : []]);
        foreach ((string name, uint major, uint minor) in Nodes)
        {
            MakeDevice(plan, step, tree, name, major, minor, ids.First);
        }

        MakeDirectory(plan, step, tree, "net", ids.First);
        if (File.Exists("/dev/net/tun"))
        {
            MakeDevice(plan, step, tree, "net/tun", 10, 200, ids.First);
        }

        foreach ((string name, string target) in Links)
        {
            plan.Call(step, SystemCall.SymlinkAt, plan.Text(target), tree, plan.Text(name));
            plan.ChangeOwnerAt(step, tree, name, ids.First);
        }

        foreach (string name in Shared)
        {
            MakeDirectory(plan, step, tree, name, ids.First);
        }

        if (HasConsole(app))
        {
            plan.MakeFileAt(step, tree, Console, ForAll);
        }
        else
        {
            // The specification has a console in every app (OS-SPEC.md): without a terminal, one that nobody reads.
            MakeDevice(plan, step, tree, Console, Nodes[0].Major, Nodes[0].Minor, ids.First);
        }

        plan.Attach(step, tree, plan.OpenInRoot(step, root, Place, LibC.O_PATH | Libc.O_DIRECTORY));
    }

    /// <summary>What of the pod's own <c>/dev</c> the app's unit binds into it, as systemd has it in <c>BindPaths=</c>; not where a volume goes.</summary>
    internal static IEnumerable<string> Binds(NspawnApp app) => AreOwn(app)
        ? ((IEnumerable<string>)[.. Shared, .. HasConsole(app) ? [Console] : (string[])[]]).Select(n => $"{Place}/{n}").Where(p => app.Mounts.All(m => m.Target != p)).Select(p => $"{p}:{p}:norbind")
        : [];

    /// <summary>Not where a volume takes its place.</summary>
    private static bool AreOwn(NspawnApp app) => app.Mounts.All(m => m.Target != Place);

    private static bool HasConsole(NspawnApp app) => app.App.Input == AppInput.Terminal;

    private static void MakeDirectory(LaunchPlan plan, string step, LaunchArgument tree, string name, uint owner)
    {
        plan.MakeDirectoryAt(step, tree, name, Directory);
        plan.ChangeOwnerAt(step, tree, name, owner);
    }

    private static void MakeDevice(LaunchPlan plan, string step, LaunchArgument tree, string name, uint major, uint minor, uint owner)
    {
        plan.Call(step, SystemCall.MknodAt, tree, plan.Text(name), CharacterDevice | ForAll, (nint)Libc.MakeDevice(major, minor));

        // What the umask has taken away.
        plan.Call(step, SystemCall.FchmodAt, tree, plan.Text(name), ForAll);
        plan.ChangeOwnerAt(step, tree, name, owner);
    }
}
