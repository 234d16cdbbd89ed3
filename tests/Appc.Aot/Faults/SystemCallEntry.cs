using System.Runtime.InteropServices;

namespace Appc.Aot.Faults;

/// <summary>What a system call does to the disk.</summary>
internal enum CallKind
{
    /// <summary>Changes what is on disk, who holds a lock, or what is durable.</summary>
    Writes,

    /// <summary>The same, and takes space: a full file system refuses it.</summary>
    Fills,

    /// <summary>Opens: it writes if it may create the file.</summary>
    Opens,

    /// <summary>Reads a file or a directory.</summary>
    Reads,
}

/// <summary>Where the path stands, by which is told what the call is about.</summary>
internal enum CallTarget
{
    /// <summary>The first argument is a descriptor.</summary>
    Descriptor,

    /// <summary>The first argument is a path.</summary>
    Path,

    /// <summary>The first argument is a directory, the second a path in it.</summary>
    PathInDirectory,

    /// <summary>The second argument is a directory, the third a path in it.</summary>
    PathInSecondDirectory,
}

/// <summary>The system calls that faults are injected at.</summary>
internal sealed record SystemCallEntry(string Name, int X64, int Arm64, CallKind Kind, CallTarget Target)
{
    /// <summary>Not on this architecture: the older calls without a directory are not on arm64.</summary>
    public const int None = -1;

    public static IReadOnlyList<SystemCallEntry> All { get; } =
    [
        new("read", 0, 63, CallKind.Reads, CallTarget.Descriptor),
        new("write", 1, 64, CallKind.Fills, CallTarget.Descriptor),
        new("open", 2, None, CallKind.Opens, CallTarget.Path),
        new("ioctl FICLONE", 16, 29, CallKind.Fills, CallTarget.Descriptor),
        new("pread64", 17, 67, CallKind.Reads, CallTarget.Descriptor),
        new("pwrite64", 18, 68, CallKind.Fills, CallTarget.Descriptor),
        new("writev", 20, 66, CallKind.Fills, CallTarget.Descriptor),
        new("sendfile", 40, 71, CallKind.Fills, CallTarget.Descriptor),
        new("flock", 73, 32, CallKind.Writes, CallTarget.Descriptor),
        new("fsync", 74, 82, CallKind.Writes, CallTarget.Descriptor),
        new("fdatasync", 75, 83, CallKind.Writes, CallTarget.Descriptor),
        new("truncate", 76, 45, CallKind.Fills, CallTarget.Path),
        new("ftruncate", 77, 46, CallKind.Fills, CallTarget.Descriptor),
        new("rename", 82, None, CallKind.Fills, CallTarget.Path),
        new("mkdir", 83, None, CallKind.Fills, CallTarget.Path),
        new("rmdir", 84, None, CallKind.Writes, CallTarget.Path),
        new("creat", 85, None, CallKind.Fills, CallTarget.Path),
        new("link", 86, None, CallKind.Fills, CallTarget.Path),
        new("unlink", 87, None, CallKind.Writes, CallTarget.Path),
        new("symlink", 88, None, CallKind.Fills, CallTarget.Path),
        new("chmod", 90, None, CallKind.Writes, CallTarget.Path),
        new("fchmod", 91, 52, CallKind.Writes, CallTarget.Descriptor),
        new("chown", 92, None, CallKind.Writes, CallTarget.Path),
        new("fchown", 93, 55, CallKind.Writes, CallTarget.Descriptor),
        new("lchown", 94, None, CallKind.Writes, CallTarget.Path),
        new("mknod", 133, None, CallKind.Fills, CallTarget.Path),
        new("setxattr", 188, 5, CallKind.Fills, CallTarget.Path),
        new("lsetxattr", 189, 6, CallKind.Fills, CallTarget.Path),
        new("fsetxattr", 190, 7, CallKind.Fills, CallTarget.Descriptor),
        new("fremovexattr", 199, 16, CallKind.Writes, CallTarget.Descriptor),
        new("getdents64", 217, 61, CallKind.Reads, CallTarget.Descriptor),
        new("openat", 257, 56, CallKind.Opens, CallTarget.PathInDirectory),
        new("mkdirat", 258, 34, CallKind.Fills, CallTarget.PathInDirectory),
        new("mknodat", 259, 33, CallKind.Fills, CallTarget.PathInDirectory),
        new("fchownat", 260, 54, CallKind.Writes, CallTarget.PathInDirectory),
        new("unlinkat", 263, 35, CallKind.Writes, CallTarget.PathInDirectory),
        new("renameat", 264, 38, CallKind.Fills, CallTarget.PathInDirectory),
        new("linkat", 265, 37, CallKind.Fills, CallTarget.PathInDirectory),
        new("symlinkat", 266, 36, CallKind.Fills, CallTarget.PathInSecondDirectory),
        new("fchmodat", 268, 53, CallKind.Writes, CallTarget.PathInDirectory),
        new("sync_file_range", 277, 84, CallKind.Writes, CallTarget.Descriptor),
        new("utimensat", 280, 88, CallKind.Writes, CallTarget.PathInDirectory),
        new("fallocate", 285, 47, CallKind.Fills, CallTarget.Descriptor),
        new("pwritev", 296, 70, CallKind.Fills, CallTarget.Descriptor),
        new("syncfs", 306, 267, CallKind.Writes, CallTarget.Descriptor),
        new("renameat2", 316, 276, CallKind.Fills, CallTarget.PathInDirectory),
        new("copy_file_range", 326, 285, CallKind.Fills, CallTarget.Descriptor),
        new("openat2", 437, 437, CallKind.Opens, CallTarget.PathInDirectory),
        new("fchmodat2", 452, 452, CallKind.Writes, CallTarget.PathInDirectory),
    ];

    public int Number => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => X64,
        Architecture.Arm64 => Arm64,
        _ => throw new PlatformNotSupportedException(),
    };
}
