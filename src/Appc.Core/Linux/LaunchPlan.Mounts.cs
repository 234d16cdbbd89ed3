using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Steps about mounts, directories and the root.</summary>
internal sealed unsafe partial class LaunchPlan
{
    private const int AT_FDCWD = -100;
    private const int AT_EMPTY_PATH = 0x1000;

    /// <summary>Cuts the child's mounts off from the host's, both ways. First of all steps that mount.</summary>
    internal void MakeMountsPrivate() =>
        Add("make mounts private", SystemCall.Mount, 0, Text("/"), 0, (ulong)(LibC.MS_REC | LibC.MS_PRIVATE));

    /// <summary>mount(2) in its general form; null for what does not apply.</summary>
    internal void Mount(string name, string? source, string target, string? type, ulong flags, string? data = null) =>
        Add(name, SystemCall.Mount, OptionalText(source), Text(target), OptionalText(type), flags, OptionalText(data));

    /// <summary>Shows a directory or file at another place too.</summary>
    internal void Bind(string name, string source, string target, bool recursive) =>
        Mount(name, source, target, null, LibC.MS_BIND | (recursive ? LibC.MS_REC : 0));

    /// <summary>Makes a directory a mount of its own, below which mounts made later reach every copy of it.</summary>
    internal void MakeShared(string name, string directory)
    {
        Bind(name, directory, directory, recursive: false);
        Mount(name, null, directory, null, (ulong)LibC.MS_SHARED);
    }

    /// <summary>Moves a mount with all that is below it.</summary>
    internal void Move(string name, string source, string target) => Mount(name, source, target, null, (ulong)LibC.MS_MOVE);

    /// <summary>Removes a directory; one that is not there, or cannot be removed, is left.</summary>
    internal void RemoveDirectory(string name, string path)
    {
        const int AT_REMOVEDIR = 0x200;
        Add(name, SystemCall.UnlinkAt, AT_FDCWD, Text(path), AT_REMOVEDIR, tolerated: -1);
    }

    /// <summary>Changes the flags of one mount, such as read-only. Flags that are left out are cleared.</summary>
    internal void Remount(string name, string target, ulong flags) =>
        Mount(name, null, target, null, LibC.MS_REMOUNT | LibC.MS_BIND | flags);

    /// <summary>Unmounts, lazily.</summary>
    internal void Unmount(string name, string target, int tolerated = 0) =>
        Add(name, SystemCall.Umount2, Text(target), LibC.MNT_DETACH, tolerated: tolerated);

    /// <summary>open_tree(2): a detached copy of what is mounted at a path.</summary>
    internal LaunchArgument CloneTree(string name, string path, bool recursive) => Call(
        name,
        SystemCall.OpenTree,
        AT_FDCWD,
        Text(path),
        (uint)(Libc.OPEN_TREE_CLONE | LibC.O_CLOEXEC | (recursive ? Libc.AT_RECURSIVE : 0)));

    /// <summary>open_tree(2): a detached copy of what is mounted at a descriptor.</summary>
    internal LaunchArgument CloneTree(string name, LaunchArgument descriptor, bool recursive) => Call(
        name,
        SystemCall.OpenTree,
        descriptor,
        Text(""),
        (uint)(Libc.OPEN_TREE_CLONE | LibC.O_CLOEXEC | AT_EMPTY_PATH | (recursive ? Libc.AT_RECURSIVE : 0)));

    /// <summary>mount_setattr(2) on a detached tree: MOUNT_ATTR flags, and an id map where one is given.</summary>
    /// <param name="name">Name of the step.</param>
    /// <param name="tree">The tree.</param>
    /// <param name="set">Flags to set, MOUNT_ATTR_IDMAP among them if <paramref name="userNamespace"/> counts.</param>
    /// <param name="userNamespace">Descriptor of the user namespace whose map applies.</param>
    /// <param name="recursive">Whether mounts below the tree's root change too.</param>
    internal void SetAttributes(string name, LaunchArgument tree, ulong set, int userNamespace = 0, bool recursive = false)
    {
        Libc.MountAttributes attributes = new() { Set = set, UserNamespace = (ulong)userNamespace };
        Add(
            name,
            SystemCall.MountSetAttr,
            tree,
            Text(""),
            AT_EMPTY_PATH | (recursive ? Libc.AT_RECURSIVE : 0),
            Bytes(MemoryMarshal.AsBytes(new ReadOnlySpan<Libc.MountAttributes>(in attributes))),
            sizeof(Libc.MountAttributes));
    }

    /// <summary>move_mount(2): attaches a detached tree.</summary>
    internal void Attach(string name, LaunchArgument tree, string target) =>
        Add(name, SystemCall.MoveMount, tree, Text(""), AT_FDCWD, Text(target), Libc.MOVE_MOUNT_F_EMPTY_PATH);

    /// <summary>move_mount(2): attaches a detached tree to the directory of a descriptor.</summary>
    internal void Attach(string name, LaunchArgument tree, LaunchArgument target) => Add(
        name,
        SystemCall.MoveMount,
        tree,
        Text(""),
        target,
        Text(""),
        Libc.MOVE_MOUNT_F_EMPTY_PATH | Libc.MOVE_MOUNT_T_EMPTY_PATH);

    /// <summary>Creates a file system and a detached mount of it: fsopen, fsconfig, fsmount.</summary>
    /// <param name="name">Name of the steps.</param>
    /// <param name="type">The type of file system.</param>
    /// <param name="attributes">MOUNT_ATTR flags of the mount.</param>
    /// <param name="options">The options; a null value makes a flag.</param>
    internal LaunchArgument NewFileSystem(string name, string type, ulong attributes, params IReadOnlyList<(string Key, string? Value)> options)
    {
        LaunchArgument context = Call(name, SystemCall.FsOpen, Text(type), Libc.FSOPEN_CLOEXEC);
        foreach ((string key, string? value) in options)
        {
            Add(
                name,
                SystemCall.FsConfig,
                context,
                value is null ? Libc.FSCONFIG_SET_FLAG : Libc.FSCONFIG_SET_STRING,
                Text(key),
                OptionalText(value));
        }

        Add(name, SystemCall.FsConfig, context, Libc.FSCONFIG_CMD_CREATE);
        return Call(name, SystemCall.FsMount, context, Libc.FSMOUNT_CLOEXEC, attributes);
    }

    /// <summary>Makes a directory; one that is there already is as good.</summary>
    internal void MakeDirectory(string name, string path, uint mode) =>
        Add(name, SystemCall.MkdirAt, AT_FDCWD, Text(path), mode, tolerated: LibC.EEXIST);

    /// <summary>Makes an empty file to mount something over; one that is there already is as good.</summary>
    internal void MakeFile(string name, string path, uint mode) =>
        Add(name, SystemCall.MknodAt, AT_FDCWD, Text(path), 0x8000 | mode, tolerated: LibC.EEXIST);

    /// <summary>fchownat(2), not following a link.</summary>
    internal void ChangeOwner(string name, string path, uint uid, uint gid) =>
        Add(name, SystemCall.FchownAt, AT_FDCWD, Text(path), uid, gid, Libc.AT_SYMLINK_NOFOLLOW);

    /// <summary>openat2(2): opens a path on which no part is a symbolic link, close-on-exec.</summary>
    internal LaunchArgument OpenWithoutLinks(string name, string path, int flags)
    {
        ReadOnlySpan<ulong> how = [(uint)(flags | LibC.O_CLOEXEC), 0, Libc.RESOLVE_NO_SYMLINKS | Libc.RESOLVE_NO_MAGICLINKS];
        return Call(name, SystemCall.OpenAt2, AT_FDCWD, Text(path), Bytes(MemoryMarshal.AsBytes(how)), how.Length * sizeof(ulong));
    }

    /// <summary>Makes a character device.</summary>
    internal void MakeDevice(string name, string path, uint mode, uint major, uint minor) =>
        MakeNode(name, path, 0x2000 | mode, major, minor);

    /// <summary>Makes a file of any type, such as that of a device.</summary>
    /// <param name="name">Name of the step.</param>
    /// <param name="path">Where.</param>
    /// <param name="mode">Type and permissions, of which the umask takes some away.</param>
    /// <param name="major">The device's number, of its driver.</param>
    /// <param name="minor">The device's number, within those.</param>
    internal void MakeNode(string name, string path, uint mode, uint major, uint minor) =>
        Add(name, SystemCall.MknodAt, AT_FDCWD, Text(path), mode, (nint)Libc.MakeDevice(major, minor));

    /// <summary>fchmodat(2), following links.</summary>
    internal void ChangeMode(string name, string path, uint mode) => Add(name, SystemCall.FchmodAt, AT_FDCWD, Text(path), mode & 0xfff);

    /// <summary>Makes a symbolic link.</summary>
    internal void MakeLink(string name, string target, string path) =>
        Add(name, SystemCall.SymlinkAt, Text(target), AT_FDCWD, Text(path));

    /// <summary>chdir(2).</summary>
    internal void ChangeDirectory(string name, string path) => Add(name, SystemCall.Chdir, Text(path));

    /// <summary>fchdir(2).</summary>
    internal void ChangeDirectory(string name, LaunchArgument descriptor) => Add(name, SystemCall.Fchdir, descriptor);

    /// <summary>
    /// Makes the working directory, which must be the root of a mount, the root of everything, and lets go of the
    /// old root with all that is mounted there: nothing of the host is left to escape to.
    /// </summary>
    internal void PivotRootHere()
    {
        nint here = Text(".");
        Add("change the root", SystemCall.PivotRoot, here, here);
        Add("let go of the host's root", SystemCall.Umount2, here, LibC.MNT_DETACH);
        Add("change to the new root", SystemCall.Chdir, Text("/"));
    }

    private nint OptionalText(string? text) => text is null ? 0 : Text(text);
}
