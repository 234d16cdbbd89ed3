using System.Globalization;
using Appc.Images;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;
using Appc.Trust;

namespace Appc.Stage1.Nspawn;

/// <summary>Apps that come and go in a running pod.</summary>
public sealed class NspawnAppsTests(NspawnFixture fixture) : IAsyncDisposable
{
    private const string Server = "trap 'echo bye; exit 7' TERM; echo up-$$; date > /data/$AC_APP_NAME; while :; do sleep 0.05; done";

    private readonly ServicePods _pods = new(fixture);

    public ValueTask DisposeAsync() => _pods.DisposeAsync();

    [Fact]
    public async Task Apps_are_added_started_stopped_and_removed_while_others_run_on()
    {
        Pod pod = await _pods.RunAsync(await SpecAsync("first"));
        Assert.True((await pod.WaitUntilReadyAsync(ServicePods.Limit)).Ready);
        await ServicePods.WaitForOutputAsync(pod, "up", "first");
        int first = PidOf(pod, "first");

        AppStatus second = await pod.AddAppAsync(await AppAsync("second")).WaitAsync(ServicePods.Limit);
        Assert.Equal(AppState.Running, second.State);
        Assert.NotNull(second.Started);
        AppStatus third = await pod.AddAppAsync(await AppAsync("third"), start: false).WaitAsync(ServicePods.Limit);
        Assert.Equal((AppState.Prepared, (DateTimeOffset?)null), (third.State, third.Started));
        Assert.True((await pod.WaitUntilReadyAsync(ServicePods.Limit)).Ready);
        Assert.Equal(AppState.Running, (await pod.StartAppAsync("third")).State);
        await ServicePods.WaitForOutputAsync(pod, "up", "second");
        await ServicePods.WaitForOutputAsync(pod, "up", "third");
        Assert.Equal(["first", "second", "third"], (await pod.GetStatusAsync()).Apps.Select(a => a.Name.ToString()));

        // Another process sees the same, and the volume is shared; the apps' own roots are not.
        await using PodRuntime other = _pods.NewRuntime();
        await using Pod same = await other.OpenAsync(pod.Uuid);
        await WaitForAsync(async () => (await ServicePods.ExecAsync(same, "second", "/bin/busybox", "ls", "/data")).Contains("third", StringComparison.Ordinal));
        await ServicePods.ExecAsync(same, "second", "/bin/touch", "/only-here");
        Assert.DoesNotContain("only-here", await ServicePods.ExecAsync(same, "third", "/bin/busybox", "ls", "/"), StringComparison.Ordinal);

        // Owners inside are those of the image, and of the pod's range outside.
        Assert.Equal("0\n", await ServicePods.ExecAsync(same, "second", "/bin/busybox", "stat", "-c", "%u", "/bin/busybox"));
        Assert.NotEqual(0u, UidOf(PidOf(pod, "second")));
        Assert.Equal(UidOf(first), UidOf(PidOf(pod, "second")));

        AppStatus stopped = await same.StopAppAsync("second").WaitAsync(ServicePods.Limit);
        Assert.Equal((AppState.Exited, 7), (stopped.State, stopped.ExitCode!.Value));
        Assert.Contains("bye", await pod.ReadOutputAsync("second"), StringComparison.Ordinal);
        AppStatus again = await pod.StartAppAsync("second").WaitAsync(ServicePods.Limit);
        Assert.Equal((AppState.Running, (int?)null), (again.State, again.ExitCode));
        Assert.Contains("only-here", await ServicePods.ExecAsync(pod, "second", "/bin/busybox", "ls", "/"), StringComparison.Ordinal);
        Assert.Equal(AppState.Running, (await pod.StartAppAsync("second")).State);

        await same.RemoveAppAsync("third").WaitAsync(ServicePods.Limit);
        await pod.StopAppAsync("second", TimeSpan.Zero).WaitAsync(ServicePods.Limit);
        Assert.Equal("SIGKILL", (await pod.GetStatusAsync()).Apps.Single(a => a.Name.ToString() == "second").Signal);
        await pod.RemoveAppAsync("second").WaitAsync(ServicePods.Limit);
        AssertGone(pod, "second", "third");
        Assert.Equal(first, PidOf(pod, "first"));

        // The name is free, for another program too.
        AppSpec once = await AppAsync("second");
        once.Exec = "/bin/sh";
        once.Arguments.Clear();
        once.Arguments.Add("-c");
        once.Arguments.Add("echo other; exit 3");
        await pod.AddAppAsync(once).WaitAsync(ServicePods.Limit);
        await WaitForAsync(async () => (await pod.GetStatusAsync()).Apps[1].ExitCode == 3);
        Assert.Equal("other\n", await pod.ReadOutputAsync("second"));

        // The last end of an app is not that of the pod.
        await pod.StopAppAsync("first").WaitAsync(ServicePods.Limit);
        Assert.Equal(PodState.Running, (await pod.GetStatusAsync()).State);
        PodStatus end = await pod.StopAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal([7, 3], end.Apps.Select(a => a.ExitCode!.Value));
    }

    [Fact]
    public async Task An_added_app_has_what_its_image_has_in_run()
    {
        Pod pod = await _pods.RunAsync(await SpecAsync("first"));
        Directory.CreateDirectory(Path.Combine(_pods.Scratch, "rootfs/run/of-the-image"));
        await pod.AddAppAsync(await AppAsync("second")).WaitAsync(ServicePods.Limit);
        Assert.Contains("of-the-image", await ServicePods.ExecAsync(pod, "second", "/bin/busybox", "ls", "/run"), StringComparison.Ordinal);
        await pod.RemoveAppAsync("second").WaitAsync(ServicePods.Limit);
        AssertGone(pod, "second");
    }

    [Fact]
    public async Task A_pod_may_begin_without_an_app()
    {
        Pod pod = await _pods.RunAsync(new PodSpec { Mutable = true, Stage1 = "nspawn", Options = new Stage1Options { PrivateUsers = false } });
        PodStatus status = await pod.GetStatusAsync();
        Assert.Equal((PodState.Running, 0), (status.State, status.Apps.Count));
        AppSpec asked = await AppAsync("only");
        asked.User = "12";
        asked.Group = "34";
        asked.ReadOnlyRootFs = true;
        asked.AnnouncesReadiness = true;
        asked.StopSignal = "SIGUSR1";
        asked.Arguments[1] = "trap 'exit 4' USR1; busybox id; touch /x || echo read-only; while :; do sleep 0.05; done";
        await pod.AddAppAsync(asked).WaitAsync(ServicePods.Limit);
        await ServicePods.WaitForOutputAsync(pod, "read-only", "only");
        Assert.Contains("uid=12 gid=34", await pod.ReadOutputAsync(), StringComparison.Ordinal);
        Assert.False((await pod.GetStatusAsync()).Ready);
        Assert.Equal(4, (await pod.StopAppAsync("only").WaitAsync(ServicePods.Limit)).ExitCode);
        await pod.RemoveAppAsync("only").WaitAsync(ServicePods.Limit);
        PodStatus end = await pod.StopAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal((0, 0), (end.ExitCode ?? 0, end.Apps.Count));
    }

    [Fact]
    public async Task What_is_not_enforced_of_an_app_that_comes_is_in_the_pods_report_until_it_goes()
    {
        static Isolator Luck(string json) => Isolator.Create(AcIdentifier.Parse("example.com/luck"), json);
        PodSpec spec = await SpecAsync("first");
        spec.Isolators.Add(Luck("1"));
        Pod pod = await _pods.RunAsync(spec);
        AppSpec second = await AppAsync("second");
        second.Isolators.Add(Isolator.Create(AcIdentifier.Parse("os/linux/no-new-privileges"), "true"));
        second.Isolators.Add(Luck("2"));
        await pod.AddAppAsync(second).WaitAsync(ServicePods.Limit);
        string[] report = [.. (await pod.GetIsolatorsAsync()).Select(i => $"{i.App} {i.Name} {i.Enforced}")];
        Assert.Equal([" example.com/luck False", "second os/linux/no-new-privileges True", "second example.com/luck False"], report);

        await pod.RemoveAppAsync("second", TimeSpan.Zero).WaitAsync(ServicePods.Limit);
        PodIsolator left = Assert.Single(await pod.GetIsolatorsAsync());
        Assert.Contains("does not know it", left.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_app_that_is_past_its_restarts_has_exited_and_can_be_started_by_hand()
    {
        Pod pod = await _pods.RunAsync(await SpecAsync("first"));
        AppSpec flaky = await AppAsync("flaky");
        flaky.Restart = new RestartPolicy { MaxRestarts = 1, Delay = TimeSpan.FromMilliseconds(10) };
        flaky.Arguments[1] = "echo try; exit 5";
        await pod.AddAppAsync(flaky).WaitAsync(ServicePods.Limit);

        await WaitForAsync(async () => (await pod.GetStatusAsync()).Apps[1] is { State: AppState.Exited, ExitCode: 5, RestartCount: 1 });
        Assert.Equal("try\ntry\n", await pod.ReadOutputAsync("flaky"));

        await pod.StartAppAsync("flaky").WaitAsync(ServicePods.Limit);
        await WaitForAsync(async () => (await pod.ReadOutputAsync("flaky")).StartsWith("try\ntry\ntry\n", StringComparison.Ordinal));
        await WaitForAsync(async () => (await pod.GetStatusAsync()).Apps[1] is { State: AppState.Exited, ExitCode: 5 });
        Assert.Equal(PodState.Running, (await pod.GetStatusAsync()).State);
    }

    [Fact]
    public async Task What_cannot_be_added_changes_nothing()
    {
        Pod pod = await _pods.RunAsync(await SpecAsync("first"));
        string manifest = File.ReadAllText(Path.Combine(DirectoryOf(pod), "pod"));
        PodException taken = await Assert.ThrowsAsync<PodException>(async () => await pod.AddAppAsync(await AppAsync("first")));
        Assert.Equal(PodFailure.NameTaken, taken.Failure);
        AppSpec bad = await AppAsync("bad");
        bad.Mounts.Add(new Mount(AcName.Parse("nowhere"), "/nowhere"));
        Assert.Contains("nowhere", (await Assert.ThrowsAsync<PodException>(() => pod.AddAppAsync(bad))).Message, StringComparison.Ordinal);
        bad.Mounts.Clear();
        bad.Isolators.Add(NspawnPod.Isolator("os/linux/capabilities-retain-set", """{"set":["CAP_SYS_MODULE"]}"""));
        Assert.Contains("CAP_SYS_MODULE", (await Assert.ThrowsAsync<LaunchException>(() => pod.AddAppAsync(bad))).Message, StringComparison.Ordinal);
        bad.Isolators.Clear();
        bad.Exec = "/bin/missing";
        await Assert.ThrowsAsync<LaunchException>(() => pod.AddAppAsync(bad));
        bad.Exec = "/bin/sh";
        await Assert.ThrowsAsync<TrustException>(() => pod.AddAppAsync(bad, trust: TrustPolicy.RequireSignature));
        Assert.Equal(PodFailure.NotFound, (await Assert.ThrowsAsync<PodException>(() => pod.StopAppAsync("bad"))).Failure);
        AssertGone(pod, "bad");
        Assert.Equal(manifest, File.ReadAllText(Path.Combine(DirectoryOf(pod), "pod")));

        PodSpec fixedApps = new(await AppAsync("first")) { Stage1 = "nspawn" };
        fixedApps.Volumes.Add(new Volume { Name = AcName.Parse("data"), Kind = VolumeKind.Empty });
        Pod immutable = await _pods.RunAsync(fixedApps);
        PodException refused = await Assert.ThrowsAsync<PodException>(async () => await immutable.AddAppAsync(await AppAsync("second")));
        Assert.Equal(PodFailure.WrongState, refused.Failure);
        await Assert.ThrowsAsync<PodException>(() => immutable.StopAppAsync("first"));
        Assert.Equal(PodState.Running, (await immutable.GetStatusAsync()).State);
        Assert.Equal(PodFailure.BadSpec, (await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.PrepareAsync(new PodSpec { Mutable = true, Stage1 = "fly" }))).Failure);
    }

    private static string DirectoryOf(NspawnFixture fixture, Pod pod) => Path.Combine(fixture.Root, "pods/run", pod.Uuid);

    private string DirectoryOf(Pod pod) => DirectoryOf(fixture, pod);

    private async Task<PodSpec> SpecAsync(string app)
    {
        PodSpec spec = new(await AppAsync(app)) { Mutable = true, Stage1 = "nspawn" };
        spec.Volumes.Add(new Volume { Name = AcName.Parse("data"), Kind = VolumeKind.Empty, Mode = "0777" });
        return spec;
    }

    private async Task<AppSpec> AppAsync(string name)
    {
        AppSpec app = await _pods.AppAsync("unused");
        app.Name = name;
        app.Exec = "/bin/sh";
        app.Arguments.Add("-c");
        app.Arguments.Add(name == "only" ? "exit 1" : Server);
        if (name != "only")
        {
            app.Mounts.Add(new Mount(AcName.Parse("data"), "/data"));
        }

        return app;
    }

    private int PidOf(Pod pod, string app)
    {
        string group = PodCGroup.FindUnit(File.ReadAllText(Path.Combine(DirectoryOf(pod), "stage1/cgroup")).Trim(), $"app-{app}.service")!;

        // The first by time: numbers begin anew some day.
        return PodCGroup.Processes(group).MinBy(p => ProcFs.StartTime(p) ?? long.MaxValue);
    }

    private static uint UidOf(int pid) =>
        uint.Parse(ProcFs.StatusLine(pid, "Uid")!.Split('\t')[0], CultureInfo.InvariantCulture);

    /// <summary>Neither on disk nor mounted anywhere is anything left of the apps.</summary>
    private void AssertGone(Pod pod, params string[] apps)
    {
        string directory = DirectoryOf(pod);
        int nspawn = int.Parse(File.ReadAllText(Path.Combine(directory, "first")).Split(' ')[0], CultureInfo.InvariantCulture);
        string[] mounts = [.. File.ReadLines($"/proc/{nspawn}/mountinfo"), .. File.ReadLines($"/proc/{PodFiles.ReadLeader(directory)!.Pid}/mountinfo")];
        foreach (string app in apps)
        {
            Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(directory, $"*{app}*", SearchOption.AllDirectories), p => !p.Contains("volumes/data", StringComparison.Ordinal));
            Assert.DoesNotContain(mounts, m => m.Contains($"/{app}/", StringComparison.Ordinal));
            Assert.DoesNotContain($"\"{app}\"", File.ReadAllText(Path.Combine(directory, "options.json")), StringComparison.Ordinal);
        }

        Assert.DoesNotContain(pod.Uuid, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
    }

    private static async Task WaitForAsync(Func<Task<bool>> condition)
    {
        using CancellationTokenSource limit = new(ServicePods.Limit);
        while (!await condition())
        {
            await Task.Delay(10, limit.Token);
        }
    }
}
