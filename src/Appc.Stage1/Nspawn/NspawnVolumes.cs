using System.Globalization;
using System.Runtime.InteropServices;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Isolation;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Volumes of one app, mounted into its root before the pod sees it. Sources are opened without following a link;
/// mount points are resolved beneath the app's root. With a user namespace, a volume is mapped so that its files
/// have the owners in the pod that they have on the host.
/// </summary>
internal sealed class NspawnVolumes(LaunchPlan plan, Stage1Pod pod, NspawnApp app, ImageTree image, IdMap ids, string subject)
{
    /// <summary>Steps that open every volume of the app.</summary>
    /// <param name="emptyVolumes">Where the pod's own volumes lie.</param>
    internal IReadOnlyList<OpenVolume> Open(string emptyVolumes)
    {
        List<OpenVolume> open = [];

        // Outer mounts first, so that one inside another is not covered by it.
        foreach (Mount mount in app.App.Runtime.Mounts.OrderBy(m => Names(m.Path).Length))
        {
            Volume volume = mount.AppVolume ?? pod.Manifest.Volumes.FirstOrDefault(v => v.Name == mount.Volume)
                ?? throw Failure(mount.Volume, "the pod has no such volume");
            string[] names = Names(mount.Path);
            if (!mount.Path.StartsWith('/') || names.Length == 0 || names.Contains(".."))
            {
                throw Failure(mount.Volume, $"it cannot be mounted at '{mount.Path}'");
            }

            LaunchArgument tree = Open(volume, mount, mount.AppVolume is null ? emptyVolumes : $"{emptyVolumes}/.app-{app.Name}", out bool isDirectory);
            open.Add(new OpenVolume(mount, tree, isDirectory));
        }

        return open;
    }

    /// <summary>Steps that attach the volumes below the app's root.</summary>
    /// <param name="root">Descriptor of the app's root.</param>
    /// <param name="volumes">The volumes.</param>
    internal void Attach(LaunchArgument root, IReadOnlyList<OpenVolume> volumes)
    {
        foreach (OpenVolume volume in volumes)
        {
            string[] names = Names(volume.Mount.Path);
            string step = $"mount a volume at {volume.Mount.Path} of the app {app.Name}";
            LaunchArgument parent = root;
            string path = "";
            foreach (string name in names[..^1])
            {
                path += "/" + name;
                MakeDirectory(step, parent, name, path);
                parent = plan.OpenInRoot(step, root, path, LibC.O_PATH | LibC.O_DIRECTORY);
            }

            if (volume.IsDirectory)
            {
                MakeDirectory(step, parent, names[^1], path + "/" + names[^1]);
            }
            else
            {
                plan.MakeFileAt(step, parent, names[^1], 0x1a4);
            }

            plan.Attach(step, volume.Tree, plan.OpenInRoot(step, root, path + "/" + names[^1], LibC.O_PATH));
        }
    }

    private void MakeDirectory(string step, LaunchArgument parent, string name, string path)
    {
        plan.MakeDirectoryAt(step, parent, name, 0x1ed);
        if (image.Stat(path) is null && !app.App.Runtime.Mounts.Any(m => path.StartsWith(m.Path.TrimEnd('/') + "/", StringComparison.Ordinal)))
        {
            plan.ChangeOwnerAt(step, parent, name, ids.First);
        }
    }

    private LaunchArgument Open(Volume volume, Mount mount, string emptyVolumes, out bool isDirectory)
    {
        string step = $"open the volume {volume.Name}";
        bool readOnly = volume.ReadOnly == true || app.App.App.MountPoints.Any(p => p.Path == mount.Path && p.ReadOnly);
        ulong attributes = Libc.MOUNT_ATTR_NOSUID | Libc.MOUNT_ATTR_NODEV
            | (readOnly ? Libc.MOUNT_ATTR_RDONLY : 0)
            | (ids.IsMapped ? Libc.MOUNT_ATTR_IDMAP : 0);
        bool recursive = false;
        isDirectory = true;
        LaunchArgument source;
        if (volume.Kind == VolumeKind.Empty)
        {
            string path = $"{emptyVolumes}/{volume.Name}";
            MakeEmpty(path, volume);
            source = plan.OpenWithoutLinks(step, path, LibC.O_PATH | LibC.O_DIRECTORY);
        }
        else
        {
            string path = volume.Source is ['/', ..] ? volume.Source : throw Failure(volume.Name, $"its source '{volume.Source}' is not an absolute path");
            uint type = Libc.TryStat(path, out Libc.Statx stat)
                ? stat.Type
                : throw Failure(volume.Name, $"its source {path} does not exist", "Make it first: sources are never created.");
            if (type == Libc.S_IFLNK)
            {
                throw Failure(volume.Name, $"its source {path} is a symbolic link", "Name what it leads to.");
            }

            isDirectory = type == Libc.S_IFDIR;
            recursive = isDirectory && volume.Recursive != false;
            if (type is Libc.S_IFCHR or Libc.S_IFBLK)
            {
                // A device named by the administrator is meant to be used as one.
                attributes &= ~Libc.MOUNT_ATTR_NODEV;
            }

            source = plan.OpenWithoutLinks(step, path, LibC.O_PATH);
        }

        LaunchArgument tree = plan.CloneTree(step, source, recursive);
        plan.SetAttributes(step, tree, attributes, ids.Descriptor, recursive);
        return tree;
    }

    /// <summary>Made here and not by the child: it lies in the pod's own directory, and outlives the pod's processes.</summary>
    private unsafe void MakeEmpty(string path, Volume volume)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        uint mode = ModeOf(volume);
        Directory.CreateDirectory(path);
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.fchownat(Libc.AT_FDCWD, p, IdOf(volume, volume.Uid), IdOf(volume, volume.Gid), 0), "chown");
            ErrnoException.ThrowIfFailed(Libc.fchmodat(Libc.AT_FDCWD, p, mode, 0), "chmod");
        }
    }

    private uint IdOf(Volume volume, long? id) => id is null ? 0
        : id >= 0 && id < (ids.IsMapped ? IdRanges.Size : uint.MaxValue) ? (uint)id
        : throw Failure(volume.Name, string.Create(CultureInfo.InvariantCulture, $"there is no user or group {id} in the pod"));

    private uint ModeOf(Volume volume)
    {
        uint mode = 0;
        foreach (char digit in volume.Mode ?? Volume.DefaultMode)
        {
            mode = digit is >= '0' and <= '7' && mode <= 0x1ff
                ? (mode << 3) | (uint)(digit - '0')
                : throw Failure(volume.Name, $"its mode '{volume.Mode}' is not octal");
        }

        return mode;
    }

    private LaunchException Failure(AcName volume, string why, string? hint = null) => new(
        $"open the volume {volume}", 0, Printable.Text($"{subject}: the volume {volume} cannot be used: {why}"), hint);

    private static string[] Names(string path) =>
        [.. path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(n => n != ".")];
}
