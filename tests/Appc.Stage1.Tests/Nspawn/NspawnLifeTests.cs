using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

public sealed class NspawnLifeTests(NspawnFixture fixture, ITestOutputHelper output) : IDisposable
{
    private const string Stubborn = "trap 'echo ignored' TERM; echo ready; while :; do sleep 0.1; done";
    private const string Graceful = "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly NspawnPod _pod = new(fixture);

    public void Dispose() => _pod.Dispose();

    [Fact]
    public async Task Its_processes_are_below_the_caller_in_tree_and_control_group()
    {
        Stage1Process process = await _pod.Shell(Graceful).StartAndWaitForAsync("ready");
        Assert.Equal(Environment.ProcessId, ParentOf(process.Id.Pid));
        Assert.Equal(process.Id.Pid, ParentOf(_pod.Leader!.Pid));
        IReadOnlyList<int> inGroup = PodCGroup.Processes(_pod.CGroup!);
        int app = Assert.Single(ChildrenOf(_pod.Leader.Pid));
        Assert.Contains(process.Id.Pid, inGroup);
        Assert.Contains(_pod.Leader.Pid, inGroup);
        Assert.Contains(app, inGroup);
        string own = PodCGroup.FindOwn("test").Own;
        Assert.StartsWith(own + "/", _pod.CGroup, StringComparison.Ordinal);

        // Besides the app (a shell and its sleep): nspawn and systemd.
        Assert.InRange(inGroup.Count, 3, 4);
        Assert.True(LockFile.IsHeld(_pod.LockPath));
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(60));
        await process.Ended.WaitAsync(Limit);
        Assert.Equal("exited 5 exit-code", _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Two_apps_end_on_their_own_when_both_succeed()
    {
        _pod.Shell("echo one").Shell("sleep 0.2; echo two");
        await _pod.RunAsync();
        Assert.Equal(("one\n", "two\n"), (_pod.Output(), _pod.Output("app2")));
        Assert.Equal(("exited 0 success", "exited 0 success"), (_pod.Status(), _pod.Status("app2")));
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task The_first_failure_stops_the_others()
    {
        await _pod.Shell("sleep 0.3; exit 3").Shell(Graceful).RunAsync();
        Assert.Equal(("exited 3 exit-code", "exited 5 exit-code"), (_pod.Status(), _pod.Status("app2")));
        Assert.Contains("bye", _pod.Output("app2"), StringComparison.Ordinal);
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task With_last_exit_a_failure_stops_nobody()
    {
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        await _pod.Shell("exit 3").Shell("sleep 0.3; echo finished").RunAsync();
        Assert.Equal(("exited 3 exit-code", "exited 0 success"), (_pod.Status(), _pod.Status("app2")));
        Assert.Equal("finished\n", _pod.Output("app2"));
    }

    [Fact]
    public async Task With_any_exit_a_success_stops_the_others()
    {
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.AnyExit };
        await _pod.Shell("sleep 0.3").Shell(Graceful).RunAsync();
        Assert.Equal(("exited 0 success", "exited 5 exit-code"), (_pod.Status(), _pod.Status("app2")));
    }

    [Fact]
    public async Task A_stubborn_app_is_killed_when_the_grace_is_over()
    {
        Stage1Process process = await _pod.Shell(Stubborn).StartAndWaitForAsync("ready");
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(1)).WaitAsync(Limit);
        Assert.False(ProcessIdentity.IsAlive(process.Id));
        await process.Ended.WaitAsync(Limit);
        Assert.Contains("ignored", _pod.Output(), StringComparison.Ordinal);
        Assert.Equal("killed KILL pod", _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Stopped_by_force_at_once()
    {
        Stage1Process process = await _pod.Shell(Stubborn).StartAndWaitForAsync("ready");
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.Zero).WaitAsync(Limit);
        await process.Ended.WaitAsync(Limit);
        Assert.DoesNotContain("ignored", _pod.Output(), StringComparison.Ordinal);
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Stopped_right_after_the_start()
    {
        Stage1Process process = await _pod.Shell(Graceful).StartAsync();
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(60)).WaitAsync(Limit);
        await process.Ended.WaitAsync(Limit);
        _pod.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    public async Task Stopped_by_somebody_else_before_its_app_is_started(int grace)
    {
        _pod.Shell("echo never", a => a with { EventHandlers = [new EventHandlerSpec("pre-start", ["/bin/sh", "-c", "echo before; exec sleep 1000"])] });
        Task<Stage1Process> starting = _pod.StartAsync();
        while (_pod.Leader is null || !File.Exists(Path.Combine(_pod.Directory, "logs/main.out")) || !_pod.Output().Contains("before", StringComparison.Ordinal))
        {
            Assert.False(starting.IsCompleted);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        using NspawnStage1 other = new();
        await other.StopAsync(_pod.Describe(), _pod.Leader, TimeSpan.FromSeconds(grace)).WaitAsync(Limit);
        Stage1Process process = await starting.WaitAsync(Limit);
        await process.Ended.WaitAsync(Limit);
        Assert.Equal("before\n", _pod.Output());
        Assert.StartsWith(grace == 0 ? "killed KILL pod" : "killed ", _pod.Status(), StringComparison.Ordinal);
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_signal_to_the_first_process_stops_gracefully()
    {
        Stage1Process process = await _pod.Shell(Graceful).StartAndWaitForAsync("ready");
        Signal(process.Id, LibC.SIGTERM);
        await process.Ended.WaitAsync(Limit);
        Assert.Equal("exited 5 exit-code", _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task When_nspawn_is_killed_the_rest_is_ended()
    {
        Stage1Process process = await _pod.Shell(Stubborn).StartAndWaitForAsync("ready");
        Stage1ProcessId leader = _pod.Leader!;
        Signal(process.Id, LibC.SIGKILL);
        await process.Ended.WaitAsync(Limit);
        Assert.False(ProcessIdentity.IsAlive(leader));
        Assert.Equal("killed KILL pod", _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task When_process_1_is_killed_the_pod_ends()
    {
        Stage1Process process = await _pod.Shell(Stubborn).StartAndWaitForAsync("ready");
        Signal(_pod.Leader!, LibC.SIGKILL);
        await process.Ended.WaitAsync(Limit);
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_pod_that_somebody_else_started_is_stopped_and_collected()
    {
        // As after a restart of the host program: another instance knows the pod by its directory only.
        Stage1Process process = await _pod.Shell(Graceful).StartAndWaitForAsync("ready");
        using NspawnStage1 other = new();
        await other.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(60)).WaitAsync(Limit);
        Assert.Equal("exited 5 exit-code", _pod.Status());
        await process.Ended.WaitAsync(Limit);
        await other.CollectAsync(_pod.Describe());
        await other.CollectAsync(_pod.Describe());
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Many_pods_at_once_without_a_thread_for_each()
    {
        // APPC_PODS=200 is the long form.
        int count = int.Parse(Environment.GetEnvironmentVariable("APPC_PODS") ?? "30", CultureInfo.InvariantCulture);
        using InotifyLimit limit = new(atLeast: 8 * (count + 20));
        int before = Threads();
        List<NspawnPod> pods = [.. Enumerable.Range(0, count).Select(i => new NspawnPod(fixture).Shell($"trap 'exit {i % 100}' TERM; echo {i}; echo ready; while :; do sleep 1; done"))];
        List<Stage1Process> processes = [];
        try
        {
            long begin = System.Diagnostics.Stopwatch.GetTimestamp();
            processes.AddRange(await Task.WhenAll(pods.Select(p => p.StartAndWaitForAsync("ready"))));
            TimeSpan started = System.Diagnostics.Stopwatch.GetElapsedTime(begin);

            // All run now, and this process waits for the end of each.
            int threads = Threads();
            Assert.All(processes, p => Assert.False(p.Ended.IsCompleted));
            output.WriteLine($"{count} pods run after {started.TotalSeconds:0.0} s; {before} threads before, {threads} now");
            Assert.True(threads - before < count / 2, $"{before} threads before, {threads} while {count} pods run");
            Assert.Equal(count, pods.Select(p => p.Range).Distinct().Count());
            await Task.WhenAll(pods.Zip(processes).Select(p => fixture.Stage1.StopAsync(p.First.Describe(), p.Second.Id, TimeSpan.FromSeconds(90))));
            await Task.WhenAll(processes.Select(p => p.Ended)).WaitAsync(Limit);
            for (int i = 0; i < count; i++)
            {
                Assert.Equal($"{i}\nready\n", pods[i].Output());
                Assert.StartsWith($"exited {i % 100} ", pods[i].Status(), StringComparison.Ordinal);
                pods[i].AssertNothingIsLeft();
            }
        }
        finally
        {
            foreach ((NspawnPod pod, Stage1Process process) in pods.Zip(processes).Where(p => !p.Second.Ended.IsCompleted))
            {
                await fixture.Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.Zero);
            }

            pods.ForEach(p => p.Dispose());
        }
    }

    private static int Threads() => Directory.GetDirectories("/proc/self/task").Length;

    private static void Signal(Stage1ProcessId id, int signal)
    {
        using SafeFileHandle process = PidFd.TryOpen(id.Pid, id.StartTime)!;
        Assert.True(PidFd.Signal(process, signal));
    }

    private static int ParentOf(int pid) => int.Parse(
        File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("PPid:", StringComparison.Ordinal))[5..], CultureInfo.InvariantCulture);

    private static int[] ChildrenOf(int pid) =>
        [.. File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => int.Parse(p, CultureInfo.InvariantCulture))];
}
