using System.Diagnostics;
using System.Globalization;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>Finds what the flavour needs on this host.</summary>
internal sealed class NspawnHost(NspawnOptions options)
{
    private const string InstallHint = "Install systemd-nspawn: apt-get install systemd-container";

    private static readonly string[] ProgramDirectories = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"];
    private static readonly string[] SystemdPaths = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"];
    private static readonly string[] ShellPaths = ["/bin/dash", "/usr/bin/dash", "/bin/sh"];

    /// <summary>Oldest systemd-nspawn that can map the ids of a tree at its mount.</summary>
    private const int OldestVersion = 250;

    internal string? Nspawn => Pick(options.NspawnPath, ProgramDirectories.Select(d => d + "/systemd-nspawn"));

    internal string? Systemd => Pick(options.SystemdPath, SystemdPaths);

    internal string? Control => Systemd is null ? null : Pick(null, ProgramDirectories.Select(d => d + "/systemctl"));

    /// <summary>Programs that systemd executes for each service since version 255.</summary>
    internal static IEnumerable<string> HelpersOf(string systemd) =>
        new[] { Path.Combine(Path.GetDirectoryName(systemd)!, "systemd-executor") }.Where(File.Exists);

    internal static string? FindTool(string name) => Pick(null, ["/usr/bin/" + name, "/bin/" + name]);

    internal static string? Shell => Pick(null, ShellPaths);

    internal async Task<Stage1HostReport> ProbeAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new Stage1HostReport { Problem = "nspawn pods run on Linux only", Hint = "Use the in-memory flavour for tests." };
        }

        if (!SystemCall.Supported)
        {
            return new Stage1HostReport
            {
                Problem = $"nspawn pods run on x64 and arm64, not on {System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture}",
            };
        }

        if (Nspawn is not { } nspawn)
        {
            return new Stage1HostReport { Problem = Missing("systemd-nspawn", options.NspawnPath), Hint = InstallHint };
        }

        string? words = await ReadVersionAsync(nspawn, cancellationToken).ConfigureAwait(false);
        if (words is null || !TryParseVersion(words, out int version))
        {
            return new Stage1HostReport { Problem = $"{nspawn} does not tell its version", Hint = InstallHint };
        }

        Stage1HostReport report = new() { Version = words };
        return version < OldestVersion
                ? report with { Problem = $"{nspawn} is of {words}; at least systemd {OldestVersion} is needed", Hint = "Use a newer release of the distribution." }
            : Systemd is null
                ? report with { Problem = Missing("systemd", options.SystemdPath), Hint = "Install it: apt-get install systemd" }
            : Shell is null
                ? report with { Problem = "no shell was found at /bin/dash or /bin/sh", Hint = "Install one: apt-get install dash" }
            : Libc.geteuid() != 0
                ? report with { Problem = "nspawn pods are launched by root, and this process is not root", Hint = "Run the program as root, for example with sudo." }
            : PodCGroup.FindHierarchy() is null
                ? report with { Problem = "no version 2 control group hierarchy is mounted", Hint = "Mount one: mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified" }
            : KnowsOverlay()
                ? report
                : report with { Problem = "the kernel has no overlay file system", Hint = "Load it: modprobe overlay" };
    }

    private static string Missing(string name, string? configured) =>
        configured is null ? $"{name} was not found" : $"{name} was not found at {configured}";

    private static string? Pick(string? configured, IEnumerable<string> candidates) =>
        configured is not null ? (File.Exists(configured) ? configured : null) : candidates.FirstOrDefault(File.Exists);

    private static async Task<string?> ReadVersionAsync(string nspawn, CancellationToken cancellationToken)
    {
        string? line = await ProgramOutput.ReadAsync(nspawn, ["--version"], cancellationToken).ConfigureAwait(false);
        string? first = line?.Split('\n')[0];
        int end = first?.IndexOf(" (", StringComparison.Ordinal) ?? -1;
        return end > 0 ? first![..end] : first;
    }

    private static bool TryParseVersion(string words, out int version)
    {
        version = 0;
        string[] parts = words.Split(' ');
        return parts.Length >= 2
            && int.TryParse(new string([.. parts[1].TakeWhile(char.IsAsciiDigit)]), NumberStyles.None, CultureInfo.InvariantCulture, out version);
    }

    private static bool KnowsOverlay()
    {
        try
        {
            // A module that is not loaded yet is loaded by the first mount.
            return File.ReadLines("/proc/filesystems").Any(l => l.EndsWith("\toverlay", StringComparison.Ordinal))
                || Directory.Exists($"/lib/modules/{File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}/kernel/fs/overlayfs");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
