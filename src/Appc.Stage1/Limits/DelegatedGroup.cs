namespace Appc.Stage1.Limits;

/// <summary>
/// Where in the version 2 hierarchy groups with controllers can be made. A group hands its controllers on only if no
/// process lives in it, so that is not the group of this process, unless it is the root of all; and nobody but systemd
/// may change groups that systemd has not left to others.
/// </summary>
/// <param name="Directory">The group to make others in; null if there is none.</param>
/// <param name="Controllers">What it can hand on.</param>
/// <param name="Problem">Why there is none.</param>
/// <param name="Hint">What to do about it.</param>
internal sealed record DelegatedGroup(string? Directory, IReadOnlyList<string> Controllers, string? Problem = null, string? Hint = null)
{
    /// <summary>A group of which it is known that others can be made in it.</summary>
    internal static DelegatedGroup Of(string group) =>
        new(group, [.. File.ReadAllText(group + "/cgroup.controllers").Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)]);

    /// <summary>Looks for the group.</summary>
    /// <param name="mountPoint">Where the hierarchy is mounted.</param>
    /// <param name="own">The group of this process.</param>
    /// <param name="isDelegated">Whether systemd has left a group to those who live in it.</param>
    internal static DelegatedGroup Find(string mountPoint, string own, Func<string, bool> isDelegated)
    {
        mountPoint = mountPoint.TrimEnd('/');
        for (string group = own.TrimEnd('/'); group.Length >= mountPoint.Length; group = Path.GetDirectoryName(group)!)
        {
            bool top = group == mountPoint;
            if (top && !File.Exists(group + "/cgroup.type") && group != own.TrimEnd('/'))
            {
                // The root of the machine, with a manager in between that has left us nothing.
                break;
            }

            if (!top && !isDelegated(group))
            {
                continue;
            }

            // The root of a control group namespace is for those who live in it, and has a type, as every other one.
            return top && !File.Exists(group + "/cgroup.type") || File.ReadAllText(group + "/cgroup.procs").Length == 0
                ? Of(group)
                : new DelegatedGroup(
                    null,
                    [],
                    $"processes live in the control group {group}, which can therefore not limit others",
                    "Let the unit of this program have Delegate=yes and DelegateSubgroup=main (systemd 254), or start it in a group below the unit's.");
        }

        return new DelegatedGroup(
            null, [], $"the control group {own} belongs to systemd", "Run this program as a unit with Delegate=yes and DelegateSubgroup=main (systemd 254).");
    }
}
