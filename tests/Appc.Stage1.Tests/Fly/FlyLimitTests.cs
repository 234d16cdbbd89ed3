using Appc.Manifests;
using Appc.Stage1.Limits;
using Appc.Stage1.Nspawn;

namespace Appc.Stage1.Fly;

public sealed class FlyLimitTests : IDisposable
{
    private readonly FlyStage1 _stage1 = new();
    private readonly FlyPod _pod = new();

    public void Dispose()
    {
        _stage1.Dispose();
        _pod.Dispose();
    }

    [Theory]
    [InlineData("exec dd if=/dev/zero of=/dev/null bs=100M count=1", "killed 9 signal")]
    [InlineData("exec dd if=/dev/zero of=/dev/null bs=16M count=1", "exited 0 success")]
    public async Task Memory_is_limited(string script, string status)
    {
        _pod.Shell(script);
        _pod.Isolate("resource/memory", """{"limit":"32M"}""");
        await _pod.RunAsync(_stage1);
        Assert.Equal(status, _pod.Status);
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_pod_that_cannot_even_start_within_its_memory_says_so()
    {
        _pod.Shell("true");
        _pod.Isolate("resource/memory", """{"limit":"4096"}""");
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
        Assert.Contains("resource/memory", e.Hint, StringComparison.Ordinal);
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task The_app_is_in_its_groups_from_its_first_instruction()
    {
        _pod.Shell("grep appc- /proc/self/cgroup");
        _pod.Isolate("resource/cpu", """{"limit":"500m"}""");
        _pod.Isolators = [Isolator.Create("resource/memory", """{"limit":"64M"}""")];
        string output = await _pod.RunAsync(_stage1);
        Assert.Equal(LimitHost.Find().Version1(LimitHost.Cpu) is null ? 1 : 2, output.TrimEnd().Split('\n').Length);
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_start_that_fails_leaves_no_groups()
    {
        _pod.App = new App { Exec = ["/no/such/program"] };
        _pod.Isolate("resource/memory", """{"limit":"64M"}""");
        await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task What_a_killed_host_has_left_is_collected()
    {
        _pod.Shell("true");
        _pod.Isolate("resource/memory", """{"limit":"64M"}""");
        FlyLimits.Prepare(_pod.Describe(), "test");
        Assert.NotEmpty(Groups());
        Assert.All(Groups(), g => Assert.True(Directory.Exists(g)));
        await _stage1.CollectAsync(_pod.Describe());
        await _stage1.CollectAsync(_pod.Describe());
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task Kernel_parameters_of_the_pods_own_ipc_are_set()
    {
        _pod.Shell("cat /proc/sys/kernel/shmmax /proc/sys/net/ipv4/ip_unprivileged_port_start");
        string[] before = [File.ReadAllText("/proc/sys/kernel/shmmax"), File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start")];
        _pod.Isolators = [Isolator.Create("os/unix/sysctl", """{"kernel.shmmax":"12345678","net.ipv4.ip_unprivileged_port_start":"77"}""")];
        Assert.Equal("12345678\n" + before[1], await _pod.RunAsync(_stage1));
        Assert.Equal(before[0], await File.ReadAllTextAsync("/proc/sys/kernel/shmmax"));
        UnenforcedIsolator unset = Assert.Single(_stage1.FindUnenforced(_pod.Describe().Manifest, _pod.Options));
        Assert.Contains("net.ipv4.ip_unprivileged_port_start", unset.Reason, StringComparison.Ordinal);
    }

    private string[] Groups() => PodPaths.ReadText(Path.Combine(_pod.Directory, "stage1/limits"))?.Split('\n') ?? [];

    private void AssertNothingIsLeft() => Assert.DoesNotContain(Groups(), Directory.Exists);
}
