using System.Diagnostics;
using System.Globalization;
using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Systemd;

/// <summary>
/// A machine whose process 1 is systemd: this machine's own /usr, booted by systemd-nspawn with an /etc and a /var of its
/// own, in a control group of its own in the version 2 hierarchy.
/// </summary>
internal sealed class SystemdHost : IAsyncDisposable
{
    private static readonly string[] Links = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
    private static readonly string[] Copied = ["passwd", "group", "nsswitch.conf", "ld.so.cache", "ld.so.conf", "os-release"];

    // What needs devices or other machines, or asks somebody.
    private static readonly string[] Masked =
    [
        "systemd-firstboot.service", "systemd-networkd.service", "systemd-resolved.service", "systemd-timesyncd.service", "systemd-udevd.service",
        "systemd-udev-trigger.service", "systemd-hwdb-update.service", "ldconfig.service", "systemd-journal-catalog-update.service",
        "systemd-update-done.service", "systemd-pstore.service", "dev-hugepages.mount",
    ];

    private readonly string _directory = Directory.CreateTempSubdirectory("appc-host-").FullName;
    private readonly string _group;
    private Process? _nspawn;
    private int _leader;

    private SystemdHost()
    {
        string mount = File.ReadLines("/proc/self/mountinfo").Select(l => l.Split(' ')).First(f => f[Array.IndexOf(f, "-") + 1] == "cgroup2")[4];
        _group = Path.Combine(mount, Path.GetFileName(_directory));
    }

    /// <summary>A directory that the machine sees under the same path.</summary>
    public string Shared => Path.Combine(_directory, "shared");

    private string Tree => Path.Combine(_directory, "tree");

    private string Log => Path.Combine(_directory, "console");

    public static async Task<SystemdHost> BootAsync()
    {
        SystemdHost host = new();
        try
        {
            host.MakeTree();
            await host.StartAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a program in the machine.</summary>
    public Task<Outcome> RunAsync(params string[] command) => Programs.RunAsync(
        "nsenter", ["--target", _leader.ToString(CultureInfo.InvariantCulture), "--all", "env", "DOTNET_ROOT=" + DotnetRoot, .. command], null);

    private static string DotnetRoot => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));

    private void MakeTree()
    {
        Directory.CreateDirectory(Shared);
        foreach (string name in (string[])["usr", "etc/systemd/system", "var", "proc", "sys", "dev", "run", "tmp", "root"])
        {
            Directory.CreateDirectory(Path.Combine(Tree, name));
        }

        foreach (string name in Links.Where(n => new FileInfo("/" + n).LinkTarget is not null))
        {
            File.CreateSymbolicLink(Path.Combine(Tree, name), new FileInfo("/" + name).LinkTarget!);
        }

        foreach (string name in Copied.Where(n => File.Exists("/etc/" + n)))
        {
            File.Copy("/etc/" + name, Path.Combine(Tree, "etc", name));
        }

        File.WriteAllText(Path.Combine(Tree, "etc/machine-id"), Guid.NewGuid().ToString("N") + "\n");
        foreach (string unit in Masked)
        {
            File.CreateSymbolicLink(Path.Combine(Tree, "etc/systemd/system", unit), "/dev/null");
        }
    }

    private async Task StartAsync()
    {
        // The machine sees the version 2 hierarchy alone, as on any current distribution, and owns a part of it.
        const string Script = """
            mkdir "$1" && echo $$ > "$1/cgroup.procs" || exit 1
            top=$(dirname "$1")
            [ "$top" = /sys/fs/cgroup ] || mount --bind "$top" /sys/fs/cgroup || exit 1
            shift
            exec "$@"
            """;
        string dotnet = DotnetRoot;
        List<string> binds = ["--bind-ro=/usr", "--bind=" + Shared];
        if (!dotnet.StartsWith("/usr/", StringComparison.Ordinal))
        {
            binds.Add("--bind-ro=" + dotnet);
        }

        ProcessStartInfo start = new("unshare")
        {
            RedirectStandardInput = true,
            Environment =
            {
                ["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "1",

                // Pods mount and filter in there just as they do out here.
                ["SYSTEMD_NSPAWN_API_VFS_WRITABLE"] = "1",
                ["SYSTEMD_SECCOMP"] = "0",
                ["SYSTEMD_NSPAWN_LOCK"] = "0",
            },
        };
        string[] arguments =
        [
            "--mount", "--propagation", "private", "bash", "-c", Script + " >" + Log + " 2>&1", "bash", _group,
            "systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit", "--boot", "--console=pipe", "--link-journal=no",
            "--resolv-conf=off", "--timezone=off", "--private-network", "--capability=all", "--kill-signal=SIGRTMIN+4",
            "--machine=appc-host", "--directory=" + Tree, .. binds, "systemd.unit=basic.target", "systemd.log_target=console",
        ];
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _nspawn = Process.Start(start)!;
        await Programs.UntilAsync(() => _nspawn.HasExited || FindLeader(), "the machine starts");
        Outcome state = new(1, "", "");
        for (int i = 0; i < 600 && !_nspawn.HasExited && state.Output.Trim() is not ("running" or "degraded"); i++)
        {
            state = await RunAsync("systemctl", "is-system-running", "--wait");
            await Task.Delay(50);
        }

        Assert.True(state.Output.Trim() is "running" or "degraded", $"the machine does not boot: {state} {File.ReadAllText(Log)}");
    }

    private bool FindLeader()
    {
        string children = $"/proc/{_nspawn!.Id}/task/{_nspawn.Id}/children";
        string first = (File.Exists(children) ? File.ReadAllText(children) : "").Split(' ')[0];
        return int.TryParse(first, CultureInfo.InvariantCulture, out _leader) && File.Exists($"/proc/{_leader}/root/run/systemd/private");
    }

    public async ValueTask DisposeAsync()
    {
        if (_nspawn is { HasExited: false })
        {
            if (File.Exists(Path.Combine(_group, "cgroup.kill")))
            {
                await File.WriteAllTextAsync(Path.Combine(_group, "cgroup.kill"), "1");
            }

            _nspawn.Kill();
            await _nspawn.WaitForExitAsync();
        }

        _nspawn?.Dispose();
        await Programs.RunAsync("bash", "-c", $"for i in $(seq 200); do find '{_group}' -depth -type d -exec rmdir {{}} + 2>/dev/null; [ -d '{_group}' ] || break; sleep 0.05; done");
        await Programs.RunAsync("rm", "-rf", "--one-file-system", _directory);
    }
}
