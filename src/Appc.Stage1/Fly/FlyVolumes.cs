using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Tmds.Linux;

namespace Appc.Stage1.Fly;

/// <summary>
/// Volumes of a fly pod. Each is opened while the host's root is there, as a detached mount with its restrictions
/// already on it, and attached when only the app's root is left: a link in either can lead nowhere else.
/// </summary>
internal sealed class FlyVolumes(LaunchPlan plan, Stage1Pod pod, string subject, string own)
{
    private readonly List<(LaunchArgument Tree, string Path, bool IsDirectory)> _mounts = [];

    /// <summary>Steps on the host's root.</summary>
    /// <exception cref="LaunchException">A mount names no volume, or a volume has no usable source.</exception>
    internal void Open()
    {
        foreach (Mount mount in pod.Apps[0].Runtime.Mounts)
        {
            Volume volume = pod.Manifest.Volumes.FirstOrDefault(v => v.Name == mount.Volume)
                ?? throw Failure(mount.Volume, "the pod has no such volume");
            if (!mount.Path.StartsWith('/') || Names(mount.Path).Length == 0 || Names(mount.Path).Contains(".."))
            {
                throw Failure(mount.Volume, $"it cannot be mounted at '{mount.Path}'");
            }

            Open(volume, mount);
        }
    }

    /// <summary>Steps on the app's root.</summary>
    internal void Attach()
    {
        // Outer mounts first, so that one inside another is not covered by it.
        foreach ((LaunchArgument tree, string path, bool isDirectory) in _mounts.OrderBy(m => Names(m.Path).Length))
        {
            string name = $"mount a volume at {path}";
            string[] names = Names(path);
            string target = "";
            for (int i = 0; i < names.Length; i++)
            {
                target += "/" + names[i];
                if (i < names.Length - 1 || isDirectory)
                {
                    plan.MakeDirectory(name, target, 0x1ed);
                }
                else
                {
                    plan.MakeFile(name, target, 0x1a4);
                }
            }

            plan.Attach(name, tree, target);
        }
    }

    private void Open(Volume volume, Mount mount)
    {
        string name = $"open the volume {volume.Name}";
        bool readOnly = volume.ReadOnly == true || pod.Apps[0].App.MountPoints.Any(p => p.Path == mount.Path && p.ReadOnly);
        ulong restrictions = Libc.MOUNT_ATTR_NOSUID | Libc.MOUNT_ATTR_NODEV | (readOnly ? Libc.MOUNT_ATTR_RDONLY : 0);
        bool recursive = false;
        bool isDirectory = true;
        LaunchArgument source;
        if (volume.Kind == VolumeKind.Empty)
        {
            source = MakeEmpty(name, volume);
        }
        else
        {
            FileKind kind = KindOf(volume);
            isDirectory = kind == FileKind.Directory;
            recursive = isDirectory && volume.Recursive != false;
            if (kind == FileKind.Device)
            {
                // A device named by the administrator is meant to be used as one.
                restrictions &= ~Libc.MOUNT_ATTR_NODEV;
            }

            source = plan.OpenWithoutLinks(name, volume.Source!, LibC.O_PATH);
        }

        LaunchArgument tree = plan.CloneTree(name, source, recursive);
        plan.SetAttributes(name, tree, restrictions, recursive: recursive);
        _mounts.Add((tree, mount.Path, isDirectory));
    }

    private LaunchArgument MakeEmpty(string name, Volume volume)
    {
        string parent = Path.Combine(own, "volumes");
        string path = Path.Combine(parent, volume.Name.ToString());
        plan.MakeDirectory(name, parent, 0x1c0);
        plan.MakeDirectory(name, path, ModeOf(volume));
        if ((volume.Uid ?? 0) != 0 || (volume.Gid ?? 0) != 0)
        {
            plan.ChangeOwner(name, path, (uint)(volume.Uid ?? 0), (uint)(volume.Gid ?? 0));
        }

        return plan.OpenWithoutLinks(name, path, LibC.O_PATH | LibC.O_DIRECTORY);
    }

    private uint ModeOf(Volume volume)
    {
        const uint Default = 0x1ed; // 0755
        if (volume.Mode is not { } text)
        {
            return Default;
        }

        uint mode = 0;
        foreach (char digit in text)
        {
            mode = digit is >= '0' and <= '7' && mode <= 0x1ff ? (mode << 3) | (uint)(digit - '0') : throw Failure(volume.Name, $"its mode '{text}' is not octal");
        }

        return mode;
    }

    private FileKind KindOf(Volume volume)
    {
        string source = volume.Source ?? throw Failure(volume.Name, "it has no source");
        if (!source.StartsWith('/'))
        {
            throw Failure(volume.Name, $"its source {source} is not an absolute path");
        }

        // Only to know what kind of mount point to make; the child opens it anew, and refuses links on the way.
        if (Libc.TryStat(source, out Libc.Statx stat))
        {
            return stat.Type switch
            {
                Libc.S_IFDIR => FileKind.Directory,
                Libc.S_IFCHR or Libc.S_IFBLK => FileKind.Device,
                Libc.S_IFLNK => throw Failure(volume.Name, $"its source {source} is a symbolic link", "Name the directory that it leads to."),
                _ => FileKind.File,
            };
        }

        throw Failure(volume.Name, $"its source {source} does not exist", "Make the directory first: sources are never created.");
    }

    private LaunchException Failure(AcName volume, string why, string? hint = null) => new(
        string.Create(CultureInfo.InvariantCulture, $"open the volume {volume}"),
        0,
        Printable.Text($"{subject}: the volume {volume} cannot be used: {why}"),
        hint);

    private static string[] Names(string path) =>
        [.. path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(n => n != ".")];

    private enum FileKind
    {
        Directory,
        File,
        Device,
    }
}
