using System.Runtime.InteropServices;
using Appc.Linux;
using Tmds.Linux;

namespace Appc.Stage1.Isolation;

/// <summary>Steps of a launch plan that work beneath a root that is not the child's own.</summary>
internal static class PlanSteps
{
    private const ulong RESOLVE_IN_ROOT = 0x10;

    /// <summary>Opens a path as if a directory were the root: links lead nowhere outside.</summary>
    internal static LaunchArgument OpenInRoot(this LaunchPlan plan, string name, LaunchArgument root, string path, int flags)
    {
        ReadOnlySpan<ulong> how = [(uint)(flags | LibC.O_CLOEXEC), 0, RESOLVE_IN_ROOT | Libc.RESOLVE_NO_MAGICLINKS];
        return plan.Call(name, SystemCall.OpenAt2, root, plan.Text(path), plan.Bytes(MemoryMarshal.AsBytes(how)), how.Length * sizeof(ulong));
    }

    /// <summary>Opens what lies in a directory, if no part of its path is a link.</summary>
    internal static LaunchArgument OpenBeneath(this LaunchPlan plan, string name, LaunchArgument directory, string path, int flags)
    {
        ReadOnlySpan<ulong> how = [(uint)(flags | LibC.O_CLOEXEC), 0, Libc.RESOLVE_BENEATH | Libc.RESOLVE_NO_SYMLINKS | Libc.RESOLVE_NO_MAGICLINKS];
        return plan.Call(name, SystemCall.OpenAt2, directory, plan.Text(path), plan.Bytes(MemoryMarshal.AsBytes(how)), how.Length * sizeof(ulong));
    }

    /// <summary>Makes a directory in another one; one that is there already is as good.</summary>
    internal static void MakeDirectoryAt(this LaunchPlan plan, string name, LaunchArgument parent, string child, uint mode) =>
        plan.Call(name, SystemCall.MkdirAt, parent, plan.Text(child), mode, tolerated: LibC.EEXIST);

    /// <summary>Makes an empty file in a directory to mount something over; one that is there already is as good.</summary>
    internal static void MakeFileAt(this LaunchPlan plan, string name, LaunchArgument parent, string child, uint mode) =>
        plan.Call(name, SystemCall.MknodAt, parent, plan.Text(child), Libc.S_IFREG | mode, tolerated: LibC.EEXIST);

    /// <summary>Changes the owner of an entry of a directory, not following a link.</summary>
    internal static void ChangeOwnerAt(this LaunchPlan plan, string name, LaunchArgument parent, string child, uint owner) =>
        plan.Call(name, SystemCall.FchownAt, parent, plan.Text(child), owner, owner, Libc.AT_SYMLINK_NOFOLLOW);

    /// <summary>Shows a directory at another place, with MOUNT_ATTR flags.</summary>
    internal static void BindWith(this LaunchPlan plan, string name, string source, string target, ulong attributes)
    {
        LaunchArgument tree = plan.CloneTree(name, source, recursive: false);
        plan.SetAttributes(name, tree, attributes);
        plan.Attach(name, tree, target);
    }
}
