using System.Runtime.InteropServices;

namespace Appc.Linux;

/// <summary>Mounts: what Tmds.LibC lacks.</summary>
internal static unsafe partial class Libc
{
    public const int OPEN_TREE_CLONE = 1;
    public const int AT_RECURSIVE = 0x8000;
    public const int MOVE_MOUNT_F_EMPTY_PATH = 4;
    public const int MOVE_MOUNT_T_EMPTY_PATH = 0x40;

    public const ulong MOUNT_ATTR_RDONLY = 0x1;
    public const ulong MOUNT_ATTR_NOSUID = 0x2;
    public const ulong MOUNT_ATTR_NODEV = 0x4;
    public const ulong MOUNT_ATTR_NOEXEC = 0x8;
    public const ulong MOUNT_ATTR_IDMAP = 0x100000;

    public const int FSOPEN_CLOEXEC = 1;
    public const int FSMOUNT_CLOEXEC = 1;
    public const int FSCONFIG_SET_FLAG = 0;
    public const int FSCONFIG_SET_STRING = 1;
    public const int FSCONFIG_CMD_CREATE = 6;

    /// <summary>struct mount_attr of mount_setattr(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MountAttributes
    {
        public ulong Set;
        public ulong Clear;
        public ulong Propagation;
        public ulong UserNamespace;
    }

    /// <summary>open_tree(2): a detached copy of the mount at a path, of no mount namespace. Returns -1 with errno set on failure.</summary>
    public static int CloneMount(byte* path) => (int)syscall(SystemCall.OpenTree, AT_FDCWD, (nint)path, OPEN_TREE_CLONE | O_CLOEXEC, 0);

    /// <summary>mount_setattr(2) on a detached mount. Returns -1 with errno set on failure.</summary>
    public static int SetMountAttributes(int mount, MountAttributes attributes)
    {
        byte empty = 0;
        return (int)syscall5(SystemCall.MountSetAttr, mount, (nint)(&empty), AT_EMPTY_PATH, (nint)(&attributes), sizeof(MountAttributes));
    }
}
