using Appc.Linux;
using Appc.Stage1.Isolation;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// The host's own files, for a pod to have in the place of the stage1 tree's copies. Systemd-nspawn has most of them mapped,
/// and so has a host's systemd: the same files mean the same memory.
/// </summary>
/// <remarks>
/// Each is a mount of the single file, so an upgrade of the host changes nothing in a pod that runs. All of them are what
/// the tree was made of, or none is shown.
/// </remarks>
internal sealed class HostObjects : IDisposable
{
    private const string Step = "show the shared objects";
    private const uint ReadableByOthers = 4;

    private readonly List<(string Name, Fd Mount)> _mounts = [];

    private HostObjects()
    {
    }

    /// <summary>Descriptors that the child which shows them needs.</summary>
    internal IEnumerable<int> Descriptors => _mounts.Select(m => m.Mount.Number);

    /// <summary>
    /// Opens the files. None where they are not those that the tree was made of any more, or where this process cannot
    /// have them mounted: the pod then has the copies, which are as good.
    /// </summary>
    internal static HostObjects Open(HeldTree tree)
    {
        HostObjects objects = new();
        foreach ((string name, string state, string source) in Stage1TreeObjects.Read(tree.Path))
        {
            Fd? mount = Open(source, state);
            if (mount is null)
            {
                objects.Dispose();
                return None();
            }

            objects._mounts.Add((name, mount));
        }

        return objects;
    }

    /// <summary>No files: the pod has the tree's copies.</summary>
    internal static HostObjects None() => new();

    /// <summary>Steps that show the tree's copies in a directory, and these over them.</summary>
    internal void Show(LaunchPlan plan, HeldTree tree, string directory)
    {
        plan.BindWith(Step, tree.Path + Stage1TreeObjects.Directory, directory, Libc.MOUNT_ATTR_NOSUID | Libc.MOUNT_ATTR_NODEV | Libc.MOUNT_ATTR_RDONLY);
        foreach ((string name, Fd mount) in _mounts)
        {
            plan.Attach(Step, mount.Number, $"{directory}/{name}");
        }
    }

    public void Dispose() => _mounts.ForEach(m => m.Mount.Dispose());

    private static unsafe Fd? Open(string source, string state)
    {
        // The mount is made first, and what it shows is looked at: nothing can be exchanged in between.
        int number;
        fixed (byte* p = Fd.PathBytes(source))
        {
            number = Libc.CloneMount(p);
        }

        if (number < 0)
        {
            return null;
        }

        Fd mount = Fd.Own(number, "open_tree");
        Libc.Statx stat = mount.Stat();

        // The copy of a mount is told of what is mounted over the original, and tells it. This one is on its own.
        Libc.MountAttributes attributes = new()
        {
            Set = Libc.MOUNT_ATTR_NOSUID | Libc.MOUNT_ATTR_NODEV | Libc.MOUNT_ATTR_RDONLY,
            Propagation = (ulong)LibC.MS_PRIVATE,
        };
        if (SourceState.Of(stat) == state && (stat.Mode & ReadableByOthers) != 0 && Libc.SetMountAttributes(number, attributes) == 0)
        {
            return mount;
        }

        mount.Dispose();
        return null;
    }
}
