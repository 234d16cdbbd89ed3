using System.Globalization;
using Appc.Linux;
using Appc.Stage1.Isolation;
using Appc.Stage1.Volumes;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Volumes of one app, mounted into its root before the pod sees it. Sources are opened without following a link;
/// mount points are resolved beneath the app's root. With a user namespace, a volume is mapped so that its files
/// have the owners in the pod that they have on the host.
/// </summary>
internal sealed class NspawnVolumes(LaunchPlan plan, NspawnApp app, ImageTree image, IdMap ids, SecurityLabels labels)
{
    internal const string MapStep = "map the user ids of the volume ";

    // Below it, the pod's volumes that lie in memory.
    private const string Memory = NspawnPlan.Scratch + "/memory";
    private const string Device = NspawnPlan.Scratch + "/device";

    // Where systemd mounts file systems over what the root has (MountAPIVFS=).
    private static readonly string[] Covered = ["/run", "/dev", "/sys", "/proc"];

    /// <summary>Steps that mount the pod's volumes in memory, for all apps that may come.</summary>
    internal static void MountMemory(LaunchPlan plan, Stage1Pod pod, SecurityLabels labels, string subject)
    {
        foreach (AppMount mount in AppMounts.InMemory(pod, IdsOf(pod), subject))
        {
            string path = $"{Memory}/{mount.Volume.Name}";
            plan.MakeDirectory(mount.OpenStep, Memory, 0x1c0);
            plan.MakeDirectory(mount.OpenStep, path, VolumeSteps.Executable);
            plan.Mount(mount.OpenStep, "tmpfs", path, "tmpfs", LibC.MS_NOSUID | LibC.MS_NODEV, VolumeSteps.MemoryOptions(mount) + labels.MountOption);
        }
    }

    /// <summary>
    /// Volumes at places that systemd mounts over: they lie beside the app's root, and systemd mounts them at their places
    /// after that. Where the pod's systemd finds each, and where it goes.
    /// </summary>
    internal static IEnumerable<(string Source, string Target)> MountedInside(NspawnApp app) =>
        app.Mounts.Select((m, i) => (Mount: m, Source: PathBeside(Stage1TreeFiles.AppsDirectory, app.Name.ToString(), i))).Where(m => IsCovered(m.Mount)).Select(m => (m.Source, m.Mount.Target));

    /// <summary>Where the volume of a number lies beside the root of an app.</summary>
    internal static string PathBeside(string apps, string app, int number) => string.Create(CultureInfo.InvariantCulture, $"{apps}/{app}/volumes/{number}");

    /// <summary>How many ids of users and groups there are in a pod.</summary>
    internal static long IdsOf(Stage1Pod pod) => pod.Options.PrivateUsers ? IdRanges.Size : uint.MaxValue;

    /// <summary>Steps that open every volume of the app that is somewhere on the host.</summary>
    /// <param name="emptyVolumes">Where the pod's own volumes lie.</param>
    internal IReadOnlyList<OpenVolume> Open(string emptyVolumes) =>
        [.. app.Mounts.Select(m => new OpenVolume(m, m.MemorySize is not null || IsMadeAnew(m) ? null : Open(m, m.IsOwn ? $"{emptyVolumes}/.app-{app.Name}" : emptyVolumes)))];

    /// <summary>Steps that attach the volumes below the app's root.</summary>
    /// <param name="root">Descriptor of the app's root.</param>
    /// <param name="volumes">The volumes.</param>
    internal void Attach(LaunchArgument root, IReadOnlyList<OpenVolume> volumes)
    {
        foreach ((AppMount mount, LaunchArgument? opened) in volumes)
        {
            string step = $"mount a volume at {mount.Path} of the app {app.Name}";
            LaunchArgument tree = opened ?? (IsMadeAnew(mount) ? MakeDevice(mount) : Map(mount, plan.OpenEmpty(mount, $"{Memory}/{mount.Volume.Name}")));
            if (IsCovered(mount))
            {
                AttachBeside(step, mount, tree);
                continue;
            }

            LaunchArgument parent = root;
            string path = "";
            foreach (string name in mount.Names[..^1])
            {
                path += "/" + name;
                MakePlace(step, parent, name, path, mount, isDirectory: true);
                parent = plan.OpenInRoot(step, root, path, LibC.O_PATH | LibC.O_DIRECTORY);
            }

            MakePlace(step, parent, mount.Names[^1], mount.Path, mount, mount.IsDirectory);
            plan.Attach(step, tree, plan.OpenInRoot(step, root, mount.Path, LibC.O_PATH));
        }
    }

    /// <summary>The file system that a host has its devices in cannot be mapped, so the pod gets a node of its own for the same device.</summary>
    private bool IsMadeAnew(AppMount mount) => mount.IsDevice && ids.IsMapped;

    /// <summary>Makes a part of the path to a volume, in the app's own layer.</summary>
    private void MakePlace(string step, LaunchArgument parent, string name, string path, AppMount mount, bool isDirectory)
    {
        if (mount.FindsPlace(image.Resolve(path), app.Mounts))
        {
            return;
        }

        if (mount.TakesPlaceOfFile(path, image))
        {
            plan.Call(step, SystemCall.UnlinkAt, parent, plan.Text(name));
        }

        plan.MakePlaceAt(step, parent, name, isDirectory);
        if (image.Stat(path) is null)
        {
            plan.ChangeOwnerAt(step, parent, name, ids.First);
        }
    }

    private static bool IsCovered(AppMount mount) => Covered.Any(d => MountPath.IsBelow(mount.Target, d));

    private void AttachBeside(string step, AppMount mount, LaunchArgument tree)
    {
        string path = PathBeside(NspawnPlan.Scratch + "/apps", app.Name.ToString(), app.Mounts.ToList().IndexOf(mount));
        string directory = Path.GetDirectoryName(path)!;
        plan.MakeDirectory(step, Path.GetDirectoryName(directory)!, VolumeSteps.Executable);
        plan.MakeDirectory(step, directory, VolumeSteps.Executable);
        if (mount.IsDirectory)
        {
            plan.MakeDirectory(step, path, VolumeSteps.Executable);
        }
        else
        {
            plan.MakeFile(step, path, 0x1a4);
        }

        plan.Attach(step, tree, path);
    }

    private LaunchArgument Open(AppMount mount, string emptyVolumes)
    {
        if (mount.Source is not null)
        {
            return Map(mount, plan.OpenWithoutLinks(mount.OpenStep, mount.Source, LibC.O_PATH));
        }

        string path = $"{emptyVolumes}/{mount.Volume.Name}";
        MakeEmpty(path, mount);
        return Map(mount, plan.OpenEmpty(mount, path));
    }

    private LaunchArgument Map(AppMount mount, LaunchArgument source)
    {
        LaunchArgument tree = plan.CloneTree(mount.OpenStep, source, mount.Recursive);
        plan.SetAttributes(
            ids.IsMapped ? MapStep + mount.Volume.Name : mount.OpenStep, tree, mount.Attributes | (ids.IsMapped ? Libc.MOUNT_ATTR_IDMAP : 0), ids.Descriptor, mount.Recursive);
        return tree;
    }

    private LaunchArgument MakeDevice(AppMount mount)
    {
        const string Node = Device + "/node";
        Libc.Statx found = mount.Found;
        plan.MakeDirectory(mount.OpenStep, Device, 0x1c0);
        plan.Mount(mount.OpenStep, "tmpfs", Device, "tmpfs", LibC.MS_NOSUID | LibC.MS_NOEXEC, "mode=0700,size=4k,nr_inodes=4" + labels.MountOption);
        plan.MakeNode(mount.OpenStep, Node, found.Mode, found.RdevMajor, found.RdevMinor);
        plan.ChangeMode(mount.OpenStep, Node, found.Mode);
        plan.ChangeOwner(mount.OpenStep, Node, IdOf(found.Uid), IdOf(found.Gid));
        LaunchArgument tree = plan.CloneTree(mount.OpenStep, Node, recursive: false);
        plan.SetAttributes(mount.OpenStep, tree, mount.Attributes);
        plan.Unmount(mount.OpenStep, Device);
        return tree;
    }

    /// <summary>The same owner in the pod as on the host; nobody the pod knows if it has no such id.</summary>
    private uint IdOf(uint id) => id < IdRanges.Size ? ids.First + id : id;

    /// <summary>Made here and not by the child: it lies in the pod's own directory, and outlives the pod's processes.</summary>
    private static unsafe void MakeEmpty(string path, AppMount mount)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        Directory.CreateDirectory(path);
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.fchownat(Libc.AT_FDCWD, p, mount.Uid, mount.Gid, 0), "chown");
            ErrnoException.ThrowIfFailed(Libc.fchmodat(Libc.AT_FDCWD, p, mount.Mode, 0), "chmod");
        }
    }
}
