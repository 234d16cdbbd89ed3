using Appc.Linux;
using Appc.Stage1.Isolation;
using Appc.Stage1.Volumes;
using Tmds.Linux;

namespace Appc.Stage1.Fly;

/// <summary>
/// Volumes of a fly pod. Each is opened while the host's root is there, as a detached mount with its restrictions
/// already on it, and attached when only the app's root is left: a link in either can lead nowhere else.
/// </summary>
internal sealed class FlyVolumes(LaunchPlan plan, Stage1Pod pod, IReadOnlyList<AppMount> mounts, ImageTree image, SecurityLabels labels, string own)
{
    private const string Devices = "/dev";

    // The highest one means "none", and is no user.
    internal const long Ids = uint.MaxValue;

    private readonly List<(LaunchArgument Tree, AppMount Mount)> _open = [];

    private string Volumes => Path.Combine(own, "volumes");

    /// <summary>Steps on the host's root.</summary>
    /// <exception cref="LaunchException">A volume cannot be what it shall be.</exception>
    internal void Open(string subject)
    {
        foreach (AppMount mount in AppMounts.InMemory(pod, Ids, subject))
        {
            // In the child's own mount namespace, over a directory that stays empty.
            string path = MakeDirectory(mount, 0x1c0);
            plan.Mount(mount.OpenStep, "tmpfs", path, "tmpfs", LibC.MS_NOSUID | LibC.MS_NODEV, VolumeSteps.MemoryOptions(mount) + labels.MountOption);
        }

        foreach (AppMount mount in mounts)
        {
            LaunchArgument source = mount.Source is { } path ? plan.OpenWithoutLinks(mount.OpenStep, path, LibC.O_PATH) : plan.OpenEmpty(mount, MakeEmpty(mount));
            LaunchArgument tree = plan.CloneTree(mount.OpenStep, source, mount.Recursive);
            plan.SetAttributes(mount.OpenStep, tree, mount.Attributes, recursive: mount.Recursive);
            _open.Add((tree, mount));
        }
    }

    /// <summary>Whether something is mounted over the directory of devices itself.</summary>
    internal bool CoverDevices => mounts.Any(m => m.Target == Devices);

    /// <summary>Steps on the app's root.</summary>
    internal void Attach()
    {
        foreach ((LaunchArgument tree, AppMount mount) in _open)
        {
            string step = StepOf(mount);
            string[] names = mount.Names;
            for (int i = 1; i <= names.Length; i++)
            {
                MakePlace(step, "/" + string.Join('/', names[..i]), mount, i < names.Length || mount.IsDirectory);
            }

            plan.Attach(step, tree, mount.Path);
        }
    }

    private static string StepOf(AppMount mount) => $"mount a volume at {mount.Path}";

    /// <summary>Makes a part of the path to a volume, in the app's own layer.</summary>
    private void MakePlace(string step, string path, AppMount mount, bool isDirectory)
    {
        if (mount.FindsPlace(image.Resolve(path), mounts))
        {
            return;
        }

        if (mount.TakesPlaceOfFile(path, image))
        {
            plan.Call(step, SystemCall.UnlinkAt, LibC.AT_FDCWD, plan.Text(path));
        }

        if (isDirectory)
        {
            plan.MakeDirectory(step, path, VolumeSteps.Executable);
        }
        else
        {
            plan.MakeFile(step, path, 0x1a4);
        }
    }

    private string MakeEmpty(AppMount mount)
    {
        if (mount.MemorySize is not null)
        {
            return Path.Combine(Volumes, mount.Volume.Name.ToString());
        }

        string path = MakeDirectory(mount, mount.Mode);
        if (mount.Uid != 0 || mount.Gid != 0)
        {
            plan.ChangeOwner(mount.OpenStep, path, mount.Uid, mount.Gid);
        }

        // The bits beyond permissions are not taken by what makes a directory.
        plan.ChangeMode(mount.OpenStep, path, mount.Mode);
        return path;
    }

    private string MakeDirectory(AppMount mount, uint mode)
    {
        string parent = mount.IsOwn ? Path.Combine(Volumes, ".app") : Volumes;
        plan.MakeDirectory(mount.OpenStep, Volumes, 0x1c0);
        plan.MakeDirectory(mount.OpenStep, parent, 0x1c0);
        string path = Path.Combine(parent, mount.Volume.Name.ToString());
        plan.MakeDirectory(mount.OpenStep, path, mode);
        return path;
    }
}
