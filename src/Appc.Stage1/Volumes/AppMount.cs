using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Volumes;

/// <summary>A volume at a place in an app's root, with everything about it found out and decided.</summary>
internal sealed record AppMount
{
    internal required Volume Volume { get; init; }

    /// <summary>Where it goes, in its normal form.</summary>
    internal required string Path { get; init; }

    /// <summary>Where that leads to by the links of the image.</summary>
    internal required string Target { get; init; }

    /// <summary>Whether the volume is this app's alone, and not the pod's.</summary>
    internal required bool IsOwn { get; init; }

    internal required bool ReadOnly { get; init; }

    /// <summary>The source on the host, with the path of the directory in it that is asked for; null for an empty volume.</summary>
    internal string? Source { get; init; }

    /// <summary>What the source is.</summary>
    internal Libc.Statx Found { get; init; }

    /// <summary>The directory of an empty volume that the app gets; none for all of it.</summary>
    internal IReadOnlyList<string> SubPath { get; init; } = [];

    /// <summary>The most bytes of a volume in memory; null if it lies on disk.</summary>
    internal long? MemorySize { get; init; }

    /// <summary>Mode, user and group of an empty volume.</summary>
    internal uint Mode { get; init; }

    internal uint Uid { get; init; }

    internal uint Gid { get; init; }

    /// <summary>Mounts of the app that are to be found in this one: as paths in it, and whether each is a directory.</summary>
    internal IReadOnlyList<(string[] Names, bool IsDirectory)> Inner { get; init; } = [];

    internal string[] Names => MountPath.NamesOf(Path);

    /// <summary>Whether a path of the app's root, its links followed, is in this volume.</summary>
    internal bool Covers(string target) => MountPath.IsBelow(target, Target);

    /// <summary>
    /// Whether a part of the path to it, its links followed, is not for it to make: another volume on the way is as it is, its directory
    /// too, and what is to be in it is there already.
    /// </summary>
    internal bool FindsPlace(string target, IEnumerable<AppMount> all) => all.Any(m => m.Covers(target) || (m.Target == target && m != this));

    /// <summary>Whether the image has a file at a part of the path to it that makes way for a directory.</summary>
    internal bool TakesPlaceOfFile(string path, ImageTree image) => path == Path && IsDirectory && image.Stat(path) is { } stat && stat.Type != Libc.S_IFDIR;

    internal bool IsDirectory => Source is null || Found.Type == Libc.S_IFDIR;

    internal bool IsDevice => Source is not null && Found.Type is Libc.S_IFCHR or Libc.S_IFBLK;

    internal bool Recursive => Source is not null && IsDirectory && Volume.Recursive != false;

    /// <summary>What restricts the mount. A device that the administrator has named is meant to be used as one.</summary>
    internal ulong Attributes =>
        Libc.MOUNT_ATTR_NOSUID | (IsDevice ? 0 : Libc.MOUNT_ATTR_NODEV) | (ReadOnly ? Libc.MOUNT_ATTR_RDONLY : 0);

    /// <summary>Name of the step that opens it, for messages.</summary>
    internal string OpenStep => $"open the volume {Volume.Name}";
}
