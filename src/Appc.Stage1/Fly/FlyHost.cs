using Appc.Linux;

namespace Appc.Stage1.Fly;

/// <summary>Looks whether fly pods can run on this host.</summary>
internal static class FlyHost
{
    internal static Stage1HostReport Probe()
    {
        if (!OperatingSystem.IsLinux())
        {
            return new Stage1HostReport { Problem = "fly pods run on Linux only", Hint = "Use the in-memory flavour for tests." };
        }

        string? version = KernelVersion();
        Stage1HostReport report = new() { Version = version is null ? null : "Linux " + version };
        if (!SystemCall.Supported)
        {
            return report with
            {
                Problem = $"fly pods run on x64 and arm64, not on {System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture}",
            };
        }

        if (Libc.geteuid() != 0)
        {
            return report with { Problem = "fly pods are launched by root, and this process is not root", Hint = "Run the program as root, for example with sudo." };
        }

        if (!KnowsOverlay())
        {
            return report with { Problem = "the kernel has no overlay file system", Hint = "Load it: modprobe overlay" };
        }

        return report;
    }

    private static string? KernelVersion()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool KnowsOverlay()
    {
        try
        {
            // A module that is not loaded yet is loaded by the first mount.
            return File.ReadLines("/proc/filesystems").Any(l => l.EndsWith("\toverlay", StringComparison.Ordinal))
                || Directory.Exists($"/lib/modules/{KernelVersion()}/kernel/fs/overlayfs");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
