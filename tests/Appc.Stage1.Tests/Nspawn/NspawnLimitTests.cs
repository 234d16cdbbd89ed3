using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Isolation;
using Appc.Stage1.Limits;

namespace Appc.Stage1.Nspawn;

public sealed class NspawnLimitTests(NspawnFixture fixture) : IDisposable
{
    private const string Waiting = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    private const string Allocate100M = "dd if=/dev/zero of=/dev/null bs=100M count=1";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly NspawnPod _pod = new(fixture);

    public void Dispose() => _pod.Dispose();

    [Fact]
    public async Task An_app_past_its_memory_limit_is_killed_and_the_others_live()
    {
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        _pod.Shell("exec " + Allocate100M, Isolated("resource/memory", """{"limit":"32M"}"""))
            .Shell("dd if=/dev/zero of=/dev/null bs=16M count=1 && echo fits", Isolated("resource/memory", """{"limit":"32M","request":"16M"}"""))
            .Shell(Allocate100M + " && echo unlimited");
        await _pod.RunAsync();
        Assert.Equal("killed KILL oom-kill", _pod.Status());
        Assert.Equal("fits\n", _pod.Output("app2"));
        Assert.Equal("unlimited\n", _pod.Output("app3"));
        _pod.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lone_app_past_its_memory_limit_ends_the_pod(bool privateUsers)
    {
        _pod.Options = new Stage1Options { PrivateUsers = privateUsers };
        await _pod.Shell("exec " + Allocate100M, a => Isolated("resource/memory", """{"limit":"32M"}""")(a) with { User = "web", Group = "0" }).RunAsync();
        Assert.Equal("killed KILL oom-kill", _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task The_limit_of_the_pod_bounds_its_apps_together()
    {
        _pod.Isolators = [NspawnPod.Isolator("resource/memory", """{"limit":"64M"}"""), NspawnPod.Isolator("resource/cpu", """{"limit":"1500m"}""")];
        _pod.Shell("exec " + Allocate100M, Isolated("resource/cpu", """{"limit":"8"}"""));
        await _pod.RunAsync();
        Assert.StartsWith("killed KILL", _pod.Status(), StringComparison.Ordinal);
        _pod.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData("4096")]
    [InlineData("512Ki")]
    [InlineData("2Mi")]
    public async Task A_pod_without_room_for_its_own_processes_is_refused_with_the_reason(string limit)
    {
        _pod.Isolators = [NspawnPod.Isolator("resource/memory", $$"""{"limit":"{{limit}}"}""")];
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(_pod.Shell("true").StartAsync);
        Assert.Contains("resource/memory", e.Hint, StringComparison.Ordinal);
        _pod.ReleaseLock();
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task An_app_past_its_share_of_the_processors_is_throttled()
    {
        _pod.Shell("echo ready; while :; do :; done", Isolated("resource/cpu", """{"limit":"100m"}"""))
            .Shell(Waiting, Isolated("os/linux/cpu-shares", "512"));
        Stage1Process process = await _pod.StartAndWaitForAsync("ready", "app2");
        using CancellationTokenSource limit = new(Limit);
        while (!File.ReadLines(GroupOf("main", "cpu") + "/cpu.stat").Any(l => l.StartsWith("nr_throttled ", StringComparison.Ordinal) && !l.EndsWith(" 0", StringComparison.Ordinal)))
        {
            await Task.Delay(20, limit.Token);
        }

        string other = GroupOf("app2", "cpu");
        Assert.Equal(
            File.Exists(other + "/cpu.shares") ? "512" : "50",
            (await File.ReadAllTextAsync(File.Exists(other + "/cpu.shares") ? other + "/cpu.shares" : other + "/cpu.weight")).Trim());
        await StopAsync(process);
    }

    [Fact]
    public async Task An_app_is_in_its_groups_from_its_first_instruction_and_commands_join_it()
    {
        const string Where = "grep -E '^[0-9]+:memory:|^0::.*service' /proc/self/cgroup";
        _pod.Shell(Where + "; " + Waiting, Isolated("resource/memory", """{"limit":"64M"}"""));
        Stage1Process process = await _pod.StartAndWaitForAsync("ready");
        string expected = _pod.Output().Replace("ready\n", "", StringComparison.Ordinal);
        if (LimitHost.Find().Version1(LimitHost.Memory) is not null)
        {
            Assert.Contains($"/appc-{_pod.Uuid}/app-main\n", expected, StringComparison.Ordinal);
        }

        Stage1Exec command = await fixture.Stage1.ExecAsync(
            _pod.Describe(), process.Id, AcName.Parse("main"), new Stage1Command { Arguments = ["/bin/sh", "-c", Where] });
        command.StandardInput.Dispose();
        using StreamReader output = new(command.StandardOutput);
        Assert.Equal(expected, await output.ReadToEndAsync());
        await command.Ended.WaitAsync(Limit);
        await command.StandardError!.DisposeAsync();
        await StopAsync(process);
    }

    [Fact]
    public async Task The_first_handler_is_limited_as_the_app_is()
    {
        _pod.Shell(
            "echo app",
            a => Isolated("resource/memory", """{"limit":"32M"}""")(a) with { EventHandlers = [new EventHandlerSpec("pre-start", ["/bin/sh", "-c", "exec " + Allocate100M])] });
        Assert.Equal("", await _pod.RunAsync());
        Assert.Equal("killed KILL oom-kill", _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Handlers_and_the_app_run_within_limits()
    {
        EventHandlerSpec Handler(string name) => new(name, ["/bin/sh", "-c", "echo " + name]);
        _pod.Shell("echo app", a => Isolated("resource/memory", """{"limit":"32M"}""")(a) with { EventHandlers = [Handler("pre-start"), Handler("post-stop")] });
        Assert.Equal("pre-start\napp\npost-stop\n", await _pod.RunAsync());
        Assert.Equal("exited 0 success", _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_limited_pod_that_is_stopped_right_after_its_start_leaves_nothing()
    {
        for (int i = 0; i < 5; i++)
        {
            using NspawnPod pod = new(fixture);
            Stage1Process process = await pod.Shell(Waiting, Isolated("resource/memory", """{"limit":"64M"}""")).StartAsync();
            await fixture.Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.FromSeconds(60)).WaitAsync(Limit);
            await process.Ended.WaitAsync(Limit);
            pod.AssertNothingIsLeft();
        }
    }

    [Fact]
    public async Task What_a_killed_host_has_left_is_collected()
    {
        // As after a kill between the making of the groups and the launch.
        Stage1Pod pod = _pod.Shell("true", Isolated("resource/memory", """{"limit":"64M"}""", "resource/cpu", """{"limit":"500m"}""")).Describe();
        PodPaths paths = new(pod);
        PodLimits limits = PodLimits.Decide(pod, "test");
        string group = $"{limits.Parent ?? PodCGroup.FindOwn("test").Own}/{PodCGroup.NameOf(pod.Uuid)}";
        new PodFilesWriter(pod).MakeDirectories();
        PodPaths.WriteText(paths.CGroup, group);
        Directory.CreateDirectory(group);
        using (ImageTree image = new(pod.Apps[0].Layers, "test"))
        {
            limits.Prepare([NspawnApp.Resolve(pod, pod.Apps[0], image, "test")], paths, group, 1 << 20, []);
        }

        string[] all = [group, .. _pod.Limits];
        Assert.All(all, g => Assert.True(Directory.Exists(g)));
        using NspawnStage1 other = new();
        await other.CollectAsync(pod);
        await other.CollectAsync(pod);
        Assert.DoesNotContain(all, Directory.Exists);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Kernel_parameters_are_set_for_the_pod_only(bool privateUsers)
    {
        const string Show = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shmmax /proc/sys/fs/mqueue/msg_max /proc/sys/net/ipv4/ip_local_port_range";
        string before = File.ReadAllText("/proc/sys/kernel/shmmax") + File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start");
        _pod.Options = new Stage1Options { PrivateUsers = privateUsers };
        _pod.Isolators =
        [
            NspawnPod.Isolator("os/unix/sysctl", """
                {"net.ipv4.ip_unprivileged_port_start":"77","kernel.shmmax":"12345678","fs.mqueue.msg_max":"11","net.ipv4.ip_local_port_range":"40000 50001","kernel.panic":"1"}
                """),
        ];
        string[] shown = (await _pod.Shell(Show).Shell("true").RunAsync()).Split('\n');
        Assert.Equal(("77", "40000\t50001"), (shown[0], shown[3]));
        if (!privateUsers || Environment.OSVersion.Version >= new Version(6, 10))
        {
            Assert.Equal(("12345678", "11"), (shown[1], shown[2]));
        }

        Assert.Equal(before, File.ReadAllText("/proc/sys/kernel/shmmax") + File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_kernel_parameter_that_cannot_be_set_is_one_clear_error()
    {
        _pod.Isolators = [NspawnPod.Isolator("os/unix/sysctl", """{"net.ipv4.no_such_thing":"1"}""")];
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(_pod.Shell("echo started").StartAsync);
        Assert.Contains("no_such_thing", e.Message, StringComparison.Ordinal);
        _pod.ReleaseLock();
        Assert.Equal("", _pod.Output());
        _pod.AssertNothingIsLeft();
    }

    private static Func<App, App> Isolated(params string[] namesAndValues) =>
        a => a with { Isolators = [.. a.Isolators, .. namesAndValues.Chunk(2).Select(n => NspawnPod.Isolator(n[0], n[1]))] };

    private async Task StopAsync(Stage1Process process)
    {
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(60)).WaitAsync(Limit);
        await process.Ended.WaitAsync(Limit);
        _pod.AssertNothingIsLeft();
    }

    /// <summary>The group of an app's first process that a controller looks at.</summary>
    private string GroupOf(string app, string controller)
    {
        int pid = PodCGroup.Processes(PodCGroup.FindUnit(_pod.CGroup!, $"app-{app}.service")!)[0];
        string[] line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cgroup")).Select(l => l.Split(':', 3))
            .OrderByDescending(l => l[1].Length).First(l => l[1].Split(',').Contains(controller) || l[1].Length == 0);
        return ControlGroups.FindDirectory(line[1], line[2])!;
    }
}
