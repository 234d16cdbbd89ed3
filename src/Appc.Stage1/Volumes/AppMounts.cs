using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Volumes;

/// <summary>Finds out what is mounted where in an app, and refuses what cannot be.</summary>
internal static class AppMounts
{
    // What containers are given instead of the kernel's own, such as by lxcfs. Everything else there is the kernel's, and a mount
    // over it, which an image can ask for, would have programs talk to a file.
    private static readonly string[] PlacesInProc =
        ["/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime"];

    /// <summary>The mounts of an app, the outer ones first, so that one inside another is not covered by it.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="app">One of its apps.</param>
    /// <param name="image">The app's image.</param>
    /// <param name="ids">How many ids of users and groups there are in the pod.</param>
    /// <param name="subject">The pod, for messages.</param>
    /// <exception cref="LaunchException">One of them is impossible.</exception>
    internal static IReadOnlyList<AppMount> Of(Stage1Pod pod, Stage1App app, ImageTree image, long ids, string subject)
    {
        List<AppMount> mounts = [.. app.Runtime.Mounts.Select(m => Resolve(pod, app, m, image, ids, subject)).OrderBy(m => MountPath.NamesOf(m.Target).Length)];
        for (int i = 0; i < mounts.Count; i++)
        {
            AppMount mount = mounts[i];
            List<AppMount> inner = [.. mounts.Where(m => IsIn(m, mount, mounts))];
            mounts[i] = mount with { Inner = [.. inner.Select(m => (MountPath.NamesOf(m.Target[mount.Target.Length..]), m.IsDirectory))] };
            inner.ForEach(m => RequirePlace(m, mount, subject));
            if (!mount.IsDirectory && !mounts.Any(m => m.Covers(mount.Target)) && image.Stat(mount.Path) is { Type: Libc.S_IFDIR })
            {
                throw Failure(mount.Volume.Name, subject, $"its source {mount.Source} is no directory, and the image has a directory at {mount.Path}", "Mount it at a path of its own.");
            }
        }

        return mounts;
    }

    /// <summary>What of the image cannot be seen for volumes: files, and directories that hold something.</summary>
    internal static IEnumerable<string> Masked(IReadOnlyList<AppMount> mounts, ImageTree image) =>
        mounts.Where(m => m.IsDirectory && !mounts.Any(o => o.Covers(m.Target)) && image.HoldsFiles(m.Path)).Select(m => m.Path);

    /// <summary>The pod's volumes in memory, as they are mounted before any app has one.</summary>
    internal static IReadOnlyList<AppMount> InMemory(Stage1Pod pod, long ids, string subject) =>
    [
        .. from volume in pod.Manifest.Volumes
           where volume.Kind == VolumeKind.Empty && VolumeAnnotations.SizeOf(pod.Manifest.Annotations, volume.Name) is not null
           select WithOwner(new AppMount { Volume = volume, Path = "/", Target = "/", IsOwn = false, ReadOnly = false }, pod, ids, subject),
    ];

    internal static LaunchException Failure(AcName volume, string subject, string why, string? hint = null) => new(
        $"open the volume {volume}", 0, Printable.Text($"{subject}: the volume {volume} cannot be used: {why}"), hint);

    private static AppMount Resolve(Stage1Pod pod, Stage1App app, Mount mount, ImageTree image, long ids, string subject)
    {
        Volume volume = mount.AppVolume ?? pod.Manifest.Volumes.FirstOrDefault(v => v.Name == mount.Volume)
            ?? throw Failure(mount.Volume, subject, "the pod has no such volume");
        string path = MountPath.Normalize(mount.Path) is { } normal && IsPlace(image.Resolve(normal)) ? normal
            : throw Failure(volume.Name, subject, $"it cannot be mounted at '{mount.Path}'", "That is the app's root, or the kernel's.");
        AppMount made = new()
        {
            Volume = volume,
            Path = path,
            Target = image.Resolve(path),
            IsOwn = mount.AppVolume is not null,
            ReadOnly = volume.ReadOnly == true || app.App.MountPoints.Any(p => p.ReadOnly && MountPath.Normalize(p.Path) == path),
        };
        IReadOnlyList<string> subPath = VolumeAnnotations.SubPathOf(app.Runtime, mount.Volume);
        if (volume.Kind == VolumeKind.Host)
        {
            string source = volume.Source is ['/', ..] ? volume.Source : throw Failure(volume.Name, subject, $"its source '{volume.Source}' is not an absolute path");
            source = subPath.Count == 0 ? source : $"{source.TrimEnd('/')}/{string.Join('/', subPath)}";
            return made with { Source = source, Found = FindSource(volume.Name, source, subject) };
        }

        return WithOwner(made with { SubPath = subPath }, pod, ids, subject);
    }

    private static AppMount WithOwner(AppMount mount, Stage1Pod pod, long ids, string subject) => mount with
    {
        MemorySize = mount.IsOwn ? null : VolumeAnnotations.SizeOf(pod.Manifest.Annotations, mount.Volume.Name),
        Mode = ModeOf(mount.Volume, subject),
        Uid = IdOf(mount.Volume, mount.Volume.Uid, ids, subject),
        Gid = IdOf(mount.Volume, mount.Volume.Gid, ids, subject),
    };

    private static bool IsPlace(string path) => path is not ("/" or "/proc" or "/sys") && (!MountPath.IsBelow(path, "/proc") || PlacesInProc.Contains(path));

    /// <summary>Only to know what kind of mount point to make; the child opens it anew, and refuses links on the way.</summary>
    private static Libc.Statx FindSource(AcName volume, string source, string subject)
    {
        if (!Libc.TryStat(source, out Libc.Statx stat))
        {
            throw Failure(volume, subject, $"its source {source} does not exist", "Make it first: sources are never created.");
        }

        string[] names = MountPath.NamesOf(source);
        for (int i = 1; i <= names.Length; i++)
        {
            string path = "/" + string.Join('/', names[..i]);
            if (Libc.TryStat(path, out Libc.Statx part) && part.Type == Libc.S_IFLNK)
            {
                throw Failure(
                    volume, subject, i == names.Length ? $"its source {source} is a symbolic link" : $"{path} in the path of its source {source} is a symbolic link", "Name what it leads to.");
            }
        }

        return stat;
    }

    private static uint IdOf(Volume volume, long? id, long ids, string subject) => id is null ? 0
        : id >= 0 && id < ids ? (uint)id
        : throw Failure(volume.Name, subject, string.Create(CultureInfo.InvariantCulture, $"there is no user or group {id} in the pod"));

    private static uint ModeOf(Volume volume, string subject)
    {
        uint mode = 0;
        foreach (char digit in volume.Mode ?? Volume.DefaultMode)
        {
            mode = digit is >= '0' and <= '7' && mode <= 0x1ff
                ? (mode << 3) | (uint)(digit - '0')
                : throw Failure(volume.Name, subject, $"its mode '{volume.Mode}' is not octal");
        }

        return mode;
    }

    /// <summary>Whether a mount is in another one, and in no one in between.</summary>
    private static bool IsIn(AppMount mount, AppMount outer, List<AppMount> all) =>
        outer.Covers(mount.Target) && !all.Any(m => outer.Covers(m.Target) && m.Covers(mount.Target));

    /// <summary>Nothing is made on the host, not even a place for another volume.</summary>
    private static void RequirePlace(AppMount inner, AppMount outer, string subject)
    {
        if (outer.Source is null)
        {
            return;
        }

        string place = outer.Source.TrimEnd('/') + inner.Target[outer.Target.Length..];
        if (!Libc.TryStat(place, out Libc.Statx stat) || (stat.Type == Libc.S_IFDIR) != inner.IsDirectory)
        {
            throw Failure(
                inner.Volume.Name, subject, $"it goes to {inner.Path}, in the volume {outer.Volume.Name}, and {place} is no {(inner.IsDirectory ? "directory" : "file")}",
                "Make it first: nothing is made in volumes of the host.");
        }
    }
}
