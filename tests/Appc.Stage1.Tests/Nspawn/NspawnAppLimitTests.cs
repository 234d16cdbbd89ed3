using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Limits;

namespace Appc.Stage1.Nspawn;

/// <summary>Limits of apps that are added to a running pod.</summary>
public sealed class NspawnAppLimitTests(NspawnFixture fixture) : IAsyncDisposable
{
    private const string Waiting = "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done";
    private const string Allocate100M = "/bin/busybox dd if=/dev/zero of=/dev/null bs=100M count=1";
    private const string OomKilled = "killed KILL oom-kill";

    private readonly ServicePods _pods = new(fixture);

    public ValueTask DisposeAsync() => _pods.DisposeAsync();

    [Fact]
    public async Task One_past_its_memory_limit_is_killed_each_time_and_the_others_live()
    {
        Pod pod = await RunAsync();
        int first = PidOf(pod, "first");
        AppSpec greedy = await AppAsync("greedy", $"[ -e /third ] && exec sleep 1000; [ -e /second ] && touch /third; touch /second; exec {Allocate100M}", ("resource/memory", """{"limit":"32M","request":"16M"}"""));
        await pod.AddAppAsync(greedy, strict: true).WaitAsync(ServicePods.Limit);
        Assert.Equal(OomKilled, await EndOfAsync(pod, "greedy"));
        await pod.StartAppAsync("greedy").WaitAsync(ServicePods.Limit);
        Assert.Equal(OomKilled, await EndOfAsync(pod, "greedy"));

        // Killed for another reason it is not told to have been killed for memory, though that was so before.
        Assert.Equal(AppState.Running, (await pod.StartAppAsync("greedy").WaitAsync(ServicePods.Limit)).State);
        await pod.StopAppAsync("greedy", TimeSpan.Zero).WaitAsync(ServicePods.Limit);
        Assert.Equal("killed KILL signal", await EndOfAsync(pod, "greedy"));

        AppSpec modest = await AppAsync("modest", "/bin/busybox dd if=/dev/zero of=/dev/null bs=16M count=1 && echo fits", ("resource/memory", """{"limit":"32M"}"""));
        await pod.AddAppAsync(modest).WaitAsync(ServicePods.Limit);
        Assert.Equal("exited 0 success", await EndOfAsync(pod, "modest"));
        Assert.Equal("fits\n", await pod.ReadOutputAsync("modest"));

        Assert.NotEmpty(GroupsOf(pod, "greedy"));
        await pod.RemoveAppAsync("greedy").WaitAsync(ServicePods.Limit);
        await pod.RemoveAppAsync("modest").WaitAsync(ServicePods.Limit);
        Assert.Empty(GroupsOf(pod, "greedy"));
        Assert.Empty(GroupsOf(pod, "modest"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(UnitsOf(pod), "*greedy*"));
        Assert.Equal(first, PidOf(pod, "first"));
        await StopAsync(pod);
    }

    [Fact]
    public async Task One_past_its_share_of_the_processors_is_throttled_and_its_groups_go_with_the_pod()
    {
        Pod pod = await RunAsync();
        await pod.AddAppAsync(await AppAsync("busy", "while :; do :; done", ("resource/cpu", """{"limit":"100m"}"""), ("os/linux/cpu-shares", "512"))).WaitAsync(ServicePods.Limit);
        await ThrottledAsync(pod, "busy");
        string group = GroupOf(pod, "busy", "cpu");
        Assert.Equal(
            File.Exists(group + "/cpu.shares") ? "512" : "50",
            (await File.ReadAllTextAsync(File.Exists(group + "/cpu.shares") ? group + "/cpu.shares" : group + "/cpu.weight")).Trim());

        // Started again, in groups that were made anew.
        await pod.StopAppAsync("busy", TimeSpan.Zero).WaitAsync(ServicePods.Limit);
        Assert.Equal("killed KILL signal", await EndOfAsync(pod, "busy"));
        await pod.StartAppAsync("busy").WaitAsync(ServicePods.Limit);
        await ThrottledAsync(pod, "busy");

        // Another process that has died in the middle of adding one has left this.
        string[] strays = [.. LimitsOf(pod).Select(d => Directory.CreateDirectory(d + "/app-stray").FullName)];
        await StopAsync(pod);
        Assert.DoesNotContain(strays, Directory.Exists);
    }

    [Fact]
    public async Task The_limit_of_the_pod_holds_for_it_too()
    {
        Pod pod = await RunAsync(("resource/memory", """{"limit":"64M"}"""));
        await pod.AddAppAsync(await AppAsync("greedy", "exec " + Allocate100M, ("resource/cpu", """{"limit":"8"}"""))).WaitAsync(ServicePods.Limit);
        Assert.StartsWith("killed KILL", await EndOfAsync(pod, "greedy"), StringComparison.Ordinal);
        await StopAsync(pod);
    }

    [Fact]
    public async Task Handlers_and_restarts_are_within_the_limits()
    {
        Pod pod = await RunAsync();
        AppSpec again = await AppAsync("again", "exec " + Allocate100M, ("resource/memory", """{"limit":"32M"}"""));
        again.Restart = new RestartPolicy { MaxRestarts = 1, Delay = TimeSpan.FromMilliseconds(10) };
        await pod.AddAppAsync(again).WaitAsync(ServicePods.Limit);
        Assert.Equal(OomKilled, await EndOfAsync(pod, "again"));
        Assert.Equal(1, (await pod.GetStatusAsync()).Apps[1].RestartCount);

        AppSpec handled = await AppAsync(
            "handled", "echo app", m => m with { App = m.App! with { EventHandlers = [new EventHandlerSpec("pre-start", ["/bin/sh", "-c", "exec " + Allocate100M])] } },
            ("resource/memory", """{"limit":"32M"}"""));
        await pod.AddAppAsync(handled).WaitAsync(ServicePods.Limit);
        Assert.Equal(OomKilled, await EndOfAsync(pod, "handled"));
        Assert.Equal("", await pod.ReadOutputAsync("handled"));

        AppSpec waits = await AppAsync("waits", "exit 1", ("resource/memory", """{"limit":"32M"}"""));
        waits.Restart = new RestartPolicy { Delay = TimeSpan.FromHours(1), MaxDelay = TimeSpan.FromHours(1) };
        await pod.AddAppAsync(waits).WaitAsync(ServicePods.Limit);
        using CancellationTokenSource limit = new(ServicePods.Limit);
        while ((await pod.GetStatusAsync()).Apps[^1].State != AppState.Restarting)
        {
            await Task.Delay(10, limit.Token);
        }

        foreach (string app in (string[])["again", "handled", "waits"])
        {
            await pod.RemoveAppAsync(app).WaitAsync(ServicePods.Limit);
            Assert.Empty(GroupsOf(pod, app));
            Assert.Empty(Directory.EnumerateFileSystemEntries(DirectoryOf(pod), $"*{app}*", SearchOption.AllDirectories));
        }

        await StopAsync(pod);
    }

    [Fact]
    public async Task One_that_is_stopped_right_after_its_start_takes_nothing_along()
    {
        Pod pod = await RunAsync();
        int first = PidOf(pod, "first");
        await pod.AddAppAsync(await AppAsync("brief", Waiting, ("resource/memory", """{"limit":"32M"}"""), ("resource/network-bandwidth", """{"default":true,"limit":"1M"}""")), start: false);
        for (int i = 0; i < 6; i++)
        {
            Task<AppStatus> start = pod.StartAppAsync("brief");
            await Task.WhenAll(start, pod.StopAppAsync("brief", i % 2 == 0 ? TimeSpan.Zero : null)).WaitAsync(ServicePods.Limit);
            await pod.StopAppAsync("brief", TimeSpan.Zero).WaitAsync(ServicePods.Limit);
            Assert.Equal((PodState.Running, first), ((await pod.GetStatusAsync()).State, PidOf(pod, "first")));
        }

        await pod.RemoveAppAsync("brief").WaitAsync(ServicePods.Limit);
        Assert.Empty(GroupsOf(pod, "brief"));
        await StopAsync(pod);
    }

    [Fact]
    public async Task What_cannot_be_enforced_is_reported_or_refused_as_at_a_start()
    {
        AppSpec disks = await AppAsync("disks", Waiting, ("resource/block-iops", """{"default":true,"limit":"30"}"""));
        Pod pod = await RunAsync();
        PodException refused = await Assert.ThrowsAsync<PodException>(() => pod.AddAppAsync(disks, strict: true));
        Assert.Equal(PodFailure.HostUnsuitable, refused.Failure);
        Assert.Contains("resource/block-iops of the app disks", refused.Message, StringComparison.Ordinal);
        Assert.Equal(AppState.Running, (await pod.AddAppAsync(disks).WaitAsync(ServicePods.Limit)).State);
        await pod.RemoveAppAsync("disks").WaitAsync(ServicePods.Limit);

        AppSpec both = await AppAsync("both", Waiting, ("resource/network-bandwidth", """{"default":true,"limit":"1M"}"""));
        both.Restart = new RestartPolicy();
        Assert.Contains("started again", (await Assert.ThrowsAsync<LaunchException>(() => pod.AddAppAsync(both))).Message, StringComparison.Ordinal);

        // As in a pod that was started where there were no controllers.
        foreach (string group in LimitsOf(pod))
        {
            Directory.Delete(group);
        }

        if (LimitsOf(pod).Length > 0)
        {
            AppSpec limited = await AppAsync("limited", Waiting, ("resource/memory", """{"limit":"32M"}"""));
            refused = await Assert.ThrowsAsync<PodException>(() => pod.AddAppAsync(limited, strict: true));
            Assert.Contains("without a controller for memory", refused.Message, StringComparison.Ordinal);
            Assert.Equal(AppState.Running, (await pod.AddAppAsync(limited).WaitAsync(ServicePods.Limit)).State);
        }

        await StopAsync(pod);

        PodSpec strict = await SpecAsync();
        strict.Strict = true;
        Pod demanding = await _pods.RunAsync(strict);
        Assert.Equal(PodFailure.HostUnsuitable, (await Assert.ThrowsAsync<PodException>(() => demanding.AddAppAsync(disks))).Failure);
        Assert.Single((await demanding.GetStatusAsync()).Apps);
    }

    [Fact]
    public async Task The_oom_score_of_one_may_be_below_that_of_the_pod()
    {
        const string Show = "cat=; read -r cat < /proc/self/oom_score_adj; echo $cat up; exec sleep 1000";
        PodSpec spec = await SpecAsync();
        spec.Apps[0].Arguments[1] = Show;
        Pod pod = await _pods.RunAsync(spec);
        await ServicePods.WaitForOutputAsync(pod, "0 up", "first");
        AppSpec dear = await AppAsync("dear", Show, ("os/linux/oom-score-adj", "-300"));
        if ((ProcFs.StatusBits(Environment.ProcessId, "CapEff") & (1UL << 24)) == 0)
        {
            LaunchException refused = await Assert.ThrowsAsync<LaunchException>(() => pod.AddAppAsync(dear));
            Assert.Contains("OOM score -300", refused.Message, StringComparison.Ordinal);
            Assert.Single((await pod.GetStatusAsync()).Apps);
            return;
        }

        await pod.AddAppAsync(dear).WaitAsync(ServicePods.Limit);
        await ServicePods.WaitForOutputAsync(pod, "-300 up", "dear");
        await pod.StopAppAsync("first", TimeSpan.Zero).WaitAsync(ServicePods.Limit);
        await pod.StartAppAsync("first").WaitAsync(ServicePods.Limit);
        await ServicePods.WaitForOutputAsync(pod, "0 up\n0 up", "first");
        await StopAsync(pod);
    }

    private async Task<PodSpec> SpecAsync(params (string Name, string Json)[] isolators)
    {
        PodSpec spec = new(await AppAsync("first", Waiting)) { Mutable = true, Stage1 = "nspawn" };
        foreach ((string name, string json) in isolators)
        {
            spec.Isolators.Add(NspawnPod.Isolator(name, json));
        }

        return spec;
    }

    /// <summary>Runs a pod of one app that may change, with isolators of the pod.</summary>
    private async Task<Pod> RunAsync(params (string Name, string Json)[] isolators)
    {
        Pod pod = await _pods.RunAsync(await SpecAsync(isolators));
        await ServicePods.WaitForOutputAsync(pod, "up", "first");
        return pod;
    }

    private Task<AppSpec> AppAsync(string name, string script, params (string Name, string Json)[] isolators) => AppAsync(name, script, null, isolators);

    private async Task<AppSpec> AppAsync(string name, string script, Func<ImageManifest, ImageManifest>? change, params (string Name, string Json)[] isolators)
    {
        AppSpec app = await _pods.AppAsync("unused", change);
        app.Name = name;
        app.Exec = "/bin/sh";
        app.Arguments.Add("-c");
        app.Arguments.Add(script);
        foreach ((string isolator, string json) in isolators)
        {
            app.Isolators.Add(NspawnPod.Isolator(isolator, json));
        }

        return app;
    }

    /// <summary>Stops the pod; none of its groups may be left.</summary>
    private async Task StopAsync(Pod pod)
    {
        string[] groups = [GroupOf(pod), .. LimitsOf(pod)];
        await pod.StopAsync().WaitAsync(ServicePods.Limit);
        Assert.DoesNotContain(groups, Directory.Exists);
    }

    /// <summary>What is recorded of the app's end, once it is.</summary>
    private async Task<string> EndOfAsync(Pod pod, string app)
    {
        using CancellationTokenSource limit = new(ServicePods.Limit);
        while ((await pod.GetStatusAsync()).Apps.Single(a => a.Name.ToString() == app).State != AppState.Exited)
        {
            await Task.Delay(10, limit.Token);
        }

        return (await File.ReadAllTextAsync(Path.Combine(DirectoryOf(pod), "status", app))).Trim();
    }

    private async Task ThrottledAsync(Pod pod, string app)
    {
        using CancellationTokenSource limit = new(ServicePods.Limit);
        string stat = GroupOf(pod, app, "cpu") + "/cpu.stat";
        while (!File.ReadLines(stat).Any(l => l.StartsWith("nr_throttled ", StringComparison.Ordinal) && !l.EndsWith(" 0", StringComparison.Ordinal)))
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private string DirectoryOf(Pod pod) => Path.Combine(fixture.Root, "pods/run", pod.Uuid);

    private string UnitsOf(Pod pod) => Path.Combine(DirectoryOf(pod), "stage1/pod/units");

    private string GroupOf(Pod pod) => PodPaths.ReadText(Path.Combine(DirectoryOf(pod), "stage1/cgroup"))!;

    private string[] LimitsOf(Pod pod) => (PodPaths.ReadText(Path.Combine(DirectoryOf(pod), "stage1/limits")) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>All groups of an app, of both versions.</summary>
    private IEnumerable<string> GroupsOf(Pod pod, string app) =>
        ((string[])[GroupOf(pod), .. LimitsOf(pod)]).SelectMany(d => Directory.EnumerateDirectories(d, $"*-{app}*", SearchOption.AllDirectories));

    private int PidOf(Pod pod, string app) =>
        PodCGroup.Processes(PodCGroup.FindUnit(GroupOf(pod), $"app-{app}.service")!).MinBy(p => ProcFs.StartTime(p) ?? long.MaxValue);

    /// <summary>The group of an app's first process that a controller looks at.</summary>
    private string GroupOf(Pod pod, string app, string controller)
    {
        string[] line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{PidOf(pod, app)}/cgroup")).Select(l => l.Split(':', 3))
            .OrderByDescending(l => l[1].Length).First(l => l[1].Split(',').Contains(controller) || l[1].Length == 0);
        return ControlGroups.FindDirectory(line[1], line[2])!;
    }
}
