using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Appc.Benchmarks.Compare;

/// <summary>
/// Starts other programs as cheaply as the system can (posix_spawn), so that the cost of starting them from
/// here is not counted against them.
/// </summary>
internal static unsafe partial class Spawn
{
    private const int O_RDONLY = 0;
    private const int O_WRONLY = 1;

    /// <summary>Runs a program with its output thrown away, and returns its exit code.</summary>
    public static int Run(IReadOnlyList<string> command)
    {
        // The opaque structure is smaller than this on every libc.
        byte* actions = stackalloc byte[256];
        Check(posix_spawn_file_actions_init(actions));
        Check(posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0));
        Check(posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0));
        Check(posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0));

        byte** argv = stackalloc byte*[command.Count + 1];
        for (int i = 0; i < command.Count; i++)
        {
            argv[i] = (byte*)Marshal.StringToCoTaskMemUTF8(command[i]);
        }

        argv[command.Count] = null;
        try
        {
            byte** environment = *(byte***)NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "environ");
            Check(posix_spawnp(out int pid, argv[0], actions, null, argv, environment));
            int status;
            while (waitpid(pid, out status, 0) < 0)
            {
            }

            return (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);
        }
        finally
        {
            _ = posix_spawn_file_actions_destroy(actions);
            for (int i = 0; i < command.Count; i++)
            {
                Marshal.FreeCoTaskMem((nint)argv[i]);
            }
        }
    }

    /// <summary>The same from a thread that has joined a mount namespace: what it starts is in there, and this process is not.</summary>
    public static int RunIn(string mountNamespace, IReadOnlyList<string> command)
    {
        const int CLONE_FS = 0x200;
        const int CLONE_NEWNS = 0x20000;
        int code = -1;
        var thread = new Thread(() =>
        {
            using SafeFileHandle file = File.OpenHandle(mountNamespace);
            if (unshare(CLONE_FS) == 0 && setns((int)file.DangerousGetHandle(), CLONE_NEWNS) == 0)
            {
                code = Run(command);
            }
        });
        thread.Start();
        thread.Join();
        return code;
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new InvalidOperationException($"posix_spawn: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    [LibraryImport("libc")]
    private static partial int posix_spawnp(out int pid, byte* file, byte* actions, void* attributes, byte** argv, byte** environment);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(byte* actions);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addopen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc")]
    private static partial int unshare(int flags);

    [LibraryImport("libc")]
    private static partial int setns(int descriptor, int kind);

    [LibraryImport("libc")]
    private static partial int waitpid(int pid, out int status, int options);
}
