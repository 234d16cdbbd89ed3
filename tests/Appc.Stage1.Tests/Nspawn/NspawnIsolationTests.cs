using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

public sealed class NspawnIsolationTests(NspawnFixture fixture) : IDisposable
{
    private const string DefaultCapabilities = "00000000a80425fb";
    private const string NoCapabilities = "0000000000000000";

    private readonly NspawnPod _pod = new(fixture);

    public void Dispose() => _pod.Dispose();

    [Fact]
    public async Task Root_in_the_pod_is_nobody_on_the_host()
    {
        string output = await _pod.Shell("id -u; tr -s ' ' < /proc/self/uid_map; tr -s ' ' < /proc/self/gid_map; touch /mine; stat -c %u /bin /mine").RunAsync();
        string map = $" 0 {_pod.Range} 65536\n";
        Assert.Equal($"0\n{map}{map}0\n0\n", output);
        uint first = uint.Parse(_pod.Range!, CultureInfo.InvariantCulture);
        Assert.True(first >= 0x80000 && first % 65536 == 0);
        Assert.True(Libc.TryStat(Path.Combine(_pod.Directory, "stage1/apps/main/upper/mine"), out Libc.Statx stat));
        Assert.Equal(first, stat.Uid);
        Assert.False(File.Exists(Path.Combine(fixture.Image, "mine")));
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Capabilities_are_bounded_and_a_filter_is_on()
    {
        string output = await _pod.Shell("grep CapInh /proc/1/status | tr -d '\\t'; grep -E '^(CapInh|CapBnd|CapEff|Seccomp|NoNewPrivs):' /proc/self/status | tr -d '\\t'").RunAsync();
        Assert.Equal($"CapInh:{NoCapabilities}\nCapInh:{NoCapabilities}\nCapEff:{DefaultCapabilities}\nCapBnd:{DefaultCapabilities}\nNoNewPrivs:0\nSeccomp:2\n", output);
    }

    [Fact]
    public async Task Every_namespace_is_the_pods_own()
    {
        const string Kinds = "cgroup ipc mnt net pid user uts";
        string output = await _pod.Shell($"for n in {Kinds}; do readlink /proc/self/ns/$n; done; hostname").RunAsync();
        string[] lines = output.TrimEnd().Split('\n');
        string[] host = [.. Kinds.Split(' ').Select(n => new FileInfo("/proc/self/ns/" + n).LinkTarget!)];
        Assert.Equal(8, lines.Length);
        Assert.Empty(lines.Intersect(host));
        Assert.Equal("appc-" + _pod.Uuid, lines[7]);
    }

    [Theory]
    [InlineData("unshare -U true")]
    [InlineData("unshare -m true")]
    [InlineData("mount -t tmpfs none /tmp")]
    [InlineData("mount -o remount,rw /proc/sys")]
    [InlineData("touch /sys/fs/cgroup/x")]
    [InlineData("mkdir /sys/fs/cgroup/x")]
    [InlineData("echo 1 > /proc/sys/kernel/panic")]
    [InlineData("echo 1 > /proc/sys/net/ipv4/ip_forward")]
    [InlineData("echo b > /proc/sysrq-trigger")]
    [InlineData("grep -q . /proc/keys")]
    [InlineData("grep -q . /proc/kallsyms")]
    [InlineData("ls /proc/1/root/")]
    [InlineData("hostname other")]
    [InlineData("mknod /tmp/disk b 254 0")]
    [InlineData("ls /appc")]
    [InlineData("ls /opt/stage2")]
    public async Task An_app_cannot(string command)
    {
        string output = await _pod.Shell($"{command} && echo done || echo denied").RunAsync();
        Assert.Equal("denied\n", output);
        Assert.Equal("exited 0 success", _pod.Status());
    }

    [Fact]
    public async Task The_paths_of_the_host_do_not_show()
    {
        string output = await _pod.Shell("cat /proc/self/mountinfo").RunAsync();
        Assert.Contains("lowerdir=", output, StringComparison.Ordinal);
        Assert.DoesNotContain(fixture.Root, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_network_is_only_the_pods_own_loopback_unless_the_hosts_is_asked_for()
    {
        Assert.Equal("lo\n", await _pod.Shell("cd /sys/class/net; for i in *; do echo $i; done").RunAsync());
        using NspawnPod other = new(fixture) { Options = new Stage1Options { HostNetwork = true } };
        string output = await other.Shell("readlink /proc/self/ns/net").RunAsync();
        Assert.Equal(new FileInfo("/proc/self/ns/net").LinkTarget, output.TrimEnd());
    }

    [Fact]
    public async Task Capabilities_follow_the_isolators()
    {
        const string Print = "grep -E '^(CapBnd|CapEff):' /proc/self/status | tr -d '\\t'";
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        _pod.Shell(Print, a => a with { Isolators = [NspawnPod.Isolator("os/linux/capabilities-retain-set", """{"set":["CAP_KILL","CAP_SYS_TIME"]}""")] });
        _pod.Shell(Print, a => a with { Isolators = [NspawnPod.Isolator("os/linux/capabilities-remove-set", """{"set":["CAP_MKNOD"]}""")] });
        _pod.Shell(Print, a => a with { User = "1000", Isolators = [NspawnPod.Isolator("os/linux/capabilities-retain-set", """{"set":["CAP_KILL"]}""")] });
        _pod.Shell(Print, a => a with { User = "1000" });
        await _pod.RunAsync();
        Assert.Equal("CapEff:0000000002000020\nCapBnd:0000000002000020\n", _pod.Output());
        Assert.Equal("CapEff:00000000a00425fb\nCapBnd:00000000a00425fb\n", _pod.Output("app2"));
        Assert.Equal("CapEff:0000000000000020\nCapBnd:0000000000000020\n", _pod.Output("app3"));
        Assert.Equal($"CapEff:0000000000000000\nCapBnd:{DefaultCapabilities}\n", _pod.Output("app4"));
    }

    [Fact]
    public async Task System_calls_follow_the_isolators()
    {
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        _pod.Shell("mkdir /x", a => a with { Isolators = [NspawnPod.Isolator("os/linux/seccomp-remove-set", """{"set":["mkdir","mkdirat"],"errno":"EXFULL"}""")] });
        _pod.Shell("mkdir /x", a => a with { Isolators = [NspawnPod.Isolator("os/linux/seccomp-remove-set", """{"set":["mkdir","mkdirat"]}""")] });
        _pod.Shell("mkdir /x; grep Seccomp: /proc/self/status", a => a with { Isolators = [NspawnPod.Isolator("os/linux/seccomp-retain-set", """{"set":["@docker/default-whitelist"],"errno":"EPERM"}""")] });
        _pod.Shell("mkdir /x && echo made", a => a with { Isolators = [NspawnPod.Isolator("os/linux/seccomp-retain-set", """{"set":["@appc.io/all"]}""")] });

        // The error that is every other denied call's.
        _pod.Shell("mkdir /x || echo denied", a => a with { Isolators = [NspawnPod.Isolator("os/linux/seccomp-remove-set", """{"set":["mkdir","mkdirat"],"errno":"EPERM"}""")] });
        await _pod.RunAsync();
        Assert.Contains("Exchange full", _pod.Error(), StringComparison.Ordinal);
        Assert.Equal("killed SYS signal", _pod.Status("app2"));
        Assert.Equal("Seccomp:\t2\n", _pod.Output("app3"));
        Assert.Equal("made\n", _pod.Output("app4"));
        Assert.Equal("denied\n", _pod.Output("app5"));
        Assert.Contains("not permitted", _pod.Error("app5"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_new_privileges_is_as_asked_and_implied_for_a_filtered_user()
    {
        const string Print = "grep NoNewPrivs: /proc/self/status | tr -d '\\t'";
        _pod.Shell(Print, a => a with { Isolators = [NspawnPod.Isolator("os/linux/no-new-privileges", "true")] });
        _pod.Shell(Print, a => a with { User = "1000" });
        await _pod.RunAsync();
        Assert.Equal("NoNewPrivs:1\n", _pod.Output());
        Assert.Equal("NoNewPrivs:1\n", _pod.Output("app2"));

        using NspawnPod open = new(fixture) { Options = new Stage1Options { NoSeccomp = true } };
        Assert.Equal("NoNewPrivs:0\n", await open.Shell(Print, a => a with { User = "1000" }).RunAsync());
    }

    [Fact]
    public async Task The_environment_of_an_app_reaches_no_program_outside_its_root()
    {
        // What records the end runs in the stage1 tree with all capabilities: a library of the image in it would be
        // the way out of the app's root.
        File.WriteAllText(Path.Combine(_pod.Directory, "stage1/evil.so"), "not a library");
        _pod.Add(new App
        {
            Exec = ["/bin/sh", "-c", "exit 3"],
            Environment =
            [
                new EnvironmentVariable("LD_PRELOAD", "/opt/stage2/main/rootfs/bin/evil.so"),
                new EnvironmentVariable("LD_LIBRARY_PATH", "/opt/stage2/main/rootfs/bin"),
                new EnvironmentVariable("LD_DEBUG", "all"),
                new EnvironmentVariable("LD_DEBUG_OUTPUT", "/appc/logs/debug"),
            ],
        });
        await _pod.RunAsync();
        Assert.Equal("exited 3 exit-code", _pod.Status());
        Assert.Equal("", _pod.Error());
        Assert.Equal(["main.err", "main.out"], Directory.EnumerateFiles(Path.Combine(_pod.Directory, "logs")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Each_app_has_devices_of_its_own()
    {
        // Root of one app puts files of its own in the place of devices, and a link that would lead the pod's systemd, whose files
        // these are, to another place. The other app is then started again, and its end recorded.
        const string Attack = "for n in null urandom zero; do rm /dev/$n; done; echo known > /dev/urandom; ln -s /appc/passwd /dev/null; rm /dev/stdout; ln -s /etc/passwd /dev/stdout; touch /dev/shm/done; sleep 1000";
        const string Look = "until [ -e /dev/shm/done ]; do sleep 0.02; done; cat; for n in null urandom zero; do [ -c /dev/$n ] && echo $n; done; readlink /dev/stdout; touch /dev/mine && echo mine; [ -e /tmp/again ] && exit 3; touch /tmp/again; exit 1";
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        _pod.Shell(Attack);
        _pod.Shell(Look, runtime: new RuntimeApp { Annotations = [new Annotation(AcIdentifier.Parse(RestartPolicy.AnnotationName), "on-failure,delay=0.1,restarts=1")] });
        Stage1Process process = await _pod.StartAsync();
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (!File.Exists(Path.Combine(_pod.Directory, "status/app2")))
        {
            await Task.Delay(20, limit.Token);
        }

        const string Seen = "null\nurandom\nzero\n/proc/self/fd/1\nmine\n";
        Assert.Equal(Seen + Seen, _pod.Output("app2"));
        Assert.Equal("exited 3 exit-code", _pod.Status("app2"));
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.Zero);
        await process.Ended;
    }

    [Fact]
    public async Task An_app_that_takes_its_devices_away_ends_as_any_other()
    {
        // What records the end begins with opening /dev/null, and would wait at a pipe of that name.
        await _pod.Shell("rm /dev/null; busybox mkfifo /dev/null; exit 4").RunAsync();
        Assert.Equal("exited 4 exit-code", _pod.Status());
    }

    [Fact]
    public async Task A_volume_may_lie_among_the_devices_or_in_their_place()
    {
        _pod.Volumes = [new Volume { Name = AcName.Parse("v"), Kind = VolumeKind.Host, Source = fixture.Image + "/etc" }];
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        _pod.Shell("ls /dev/v; echo > /dev/null && echo written", runtime: new RuntimeApp { Mounts = [new Mount(AcName.Parse("v"), "/dev/v")] });
        _pod.Shell("ls /dev", runtime: new RuntimeApp { Mounts = [new Mount(AcName.Parse("v"), "/dev")] });
        await _pod.RunAsync();
        Assert.Equal("group\npasswd\nwritten\n", _pod.Output());
        Assert.Equal("group\npasswd\n", _pod.Output("app2"));
        Assert.Equal(["group", "passwd"], Directory.EnumerateFileSystemEntries(fixture.Image + "/etc").Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Without_a_user_namespace_only_when_asked()
    {
        _pod.Options = new Stage1Options { PrivateUsers = false };
        string output = await _pod.Shell("tr -s ' ' < /proc/self/uid_map; grep CapBnd: /proc/self/status").RunAsync();
        Assert.Equal($" 0 0 4294967295\nCapBnd:\t{DefaultCapabilities}\n", output);
        Assert.Null(_pod.Range);
        _pod.AssertNothingIsLeft();
    }
}
