namespace Appc.Linux;

/// <summary>A mounted hierarchy of control groups.</summary>
/// <param name="MountPoint">Where it is mounted.</param>
/// <param name="Root">The group that shows there.</param>
/// <param name="IsVersion2">Whether it is the unified hierarchy.</param>
/// <param name="Options">Mount options of the hierarchy: version 1 names its controllers there.</param>
internal sealed record ControlGroupHierarchy(string MountPoint, string Root, bool IsVersion2, IReadOnlyList<string> Options)
{
    /// <summary>Where a group shows, by its path as in <c>/proc/PID/cgroup</c>; null if it is not below <see cref="Root"/>.</summary>
    internal string? Locate(string path) =>
        Root == "/" ? (MountPoint + path).TrimEnd('/')
        : path == Root || path.StartsWith(Root + "/", StringComparison.Ordinal) ? (MountPoint + path[Root.Length..]).TrimEnd('/')
        : null;
}
