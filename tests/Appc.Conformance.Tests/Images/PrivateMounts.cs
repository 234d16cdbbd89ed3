using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Appc.Conformance.Tests.Images;

/// <summary>
/// Runs code on a thread with mounts of its own. Threads that are started from there share them; the kernel takes the
/// mounts away with the last of these threads.
/// </summary>
internal static partial class PrivateMounts
{
    private const int CloneNewNamespace = 0x00020000;
    private const int CloneFileSystem = 0x00000200;
    private const nuint RecursivePrivate = 0x4000 | (1 << 18);

    public static void Run(Action action)
    {
        ExceptionDispatchInfo? fault = null;
        Thread thread = new(() =>
        {
            try
            {
                Check(unshare(CloneNewNamespace | CloneFileSystem), "unshare");
                Check(mount("none", "/", null, RecursivePrivate, null), "make / private");
                action();
            }
            catch (Exception e)
            {
                fault = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        fault?.Throw();
    }

    public static void MountTmpfs(string path, string options) => Check(mount("tmpfs", path, "tmpfs", 0, options), "mount " + path);

    /// <summary>Stacks directories read-only, the lowest first.</summary>
    public static void MountOverlay(string path, IEnumerable<string> layers) =>
        Check(mount("overlay", path, "overlay", 0, "lowerdir=" + string.Join(':', layers.Reverse())), "mount overlay");

    private static void Check(int result, string what)
    {
        if (result != 0)
        {
            throw new InvalidOperationException($"{what}: {Marshal.GetLastPInvokeErrorMessage()}; this suite runs as root");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string? type, nuint flags, string? data);
}
