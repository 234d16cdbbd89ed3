using System.Globalization;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

public sealed class NspawnRestartTests(NspawnFixture fixture) : IDisposable
{
    private const string Count = "echo x >> /data/n; n=$(wc -l < /data/n); echo round $n; ";
    private const string Waiting = "trap 'echo stopped; exit 0' TERM; echo ready; while :; do sleep 0.05; done";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly NspawnPod _pod = new(fixture);

    public void Dispose() => _pod.Dispose();

    [Fact]
    public async Task An_app_that_fails_is_started_again_with_its_handlers_until_it_succeeds()
    {
        // More often than systemd itself would start a unit in so short a time.
        _pod.Shell(Count + "[ $n -ge 8 ] || exit 4", Handled, Policy("on-failure,delay=0.02,max-delay=0.02"));
        string output = await _pod.RunAsync();
        Assert.Equal(string.Concat(Enumerable.Range(1, 8).Select(n => $"pre\nround {n}\npost\n")), output);
        Assert.Equal("exited 0 success", _pod.Status());
        AppRestarts restarts = Restarts();
        Assert.Equal((7, false, 0), (restarts.Count, restarts.Running, restarts.LastExitCode));
        _pod.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData(PodExitPolicy.FirstFailure, "stopped")]
    [InlineData(PodExitPolicy.AnyExit, "stopped")]
    [InlineData(PodExitPolicy.LastExit, "by itself")]
    public async Task An_app_past_its_limit_is_given_up_and_only_then_counts_as_failed(PodExitPolicy exit, string other)
    {
        _pod.Options = new Stage1Options { ExitPolicy = exit };
        _pod.Shell(Count + "kill -SEGV $$", Handled, Policy("on-failure:2,delay=0.1"));
        _pod.Shell(exit == PodExitPolicy.LastExit ? Count + "sleep 1; echo by itself" : Waiting);
        await _pod.RunAsync();
        Assert.Equal(string.Concat(Enumerable.Range(1, 3).Select(n => $"pre\nround {n}\npost\n")), _pod.Output());
        Assert.Equal("killed SEGV signal", _pod.Status());
        Assert.EndsWith(other + "\n", _pod.Output("app2"), StringComparison.Ordinal);
        Assert.DoesNotContain("round 2", _pod.Output("app2"), StringComparison.Ordinal);
        Assert.Equal("exited 0 success", _pod.Status("app2"));
        Assert.Equal(2, Restarts().Count);
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Success_counts_as_the_end_of_an_app_that_is_started_again_on_failure_only()
    {
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.AnyExit };
        _pod.Shell(Count + "[ $n -ge 3 ] || exit 4", runtime: Policy("on-failure,delay=0.05"));
        _pod.Shell(Waiting);
        await _pod.RunAsync();
        Assert.Equal("round 1\nround 2\nround 3\n", _pod.Output());
        Assert.Equal("ready\nstopped\n", _pod.Output("app2"));
    }

    [Fact]
    public async Task A_handler_that_fails_ends_the_app_also_later()
    {
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        _pod.Shell(
            "echo app; exit 1",
            a => a with { EventHandlers = [new EventHandlerSpec("pre-start", ["/bin/sh", "-c", Count + "[ $n -lt 3 ] || exit 9"])] },
            Policy("always,delay=0.02"));
        Assert.Equal("round 1\napp\nround 2\napp\nround 3\n", await _pod.RunAsync());
        Assert.Equal("exited 9 exit-code", _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task An_app_that_is_always_started_again_stops_with_its_pod_in_any_state()
    {
        _pod.Shell(Count + "[ $n -lt 3 ] || { " + Waiting + "; }", runtime: Policy("always,delay=0"));
        _pod.Shell("echo once; exit 5", runtime: Policy("on-failure,delay=3000"));
        Stage1Process process = await _pod.StartAndWaitForAsync("ready");
        await _pod.WaitForAsync("once", "app2");
        await EventuallyAsync(() => !Restarts("app2").Running);
        AppRestarts restarts = Restarts();
        Assert.Equal((2, true, 0), (restarts.Count, restarts.Running, restarts.LastExitCode));
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(60));
        await process.Ended.WaitAsync(Limit);
        Assert.Equal("round 1\nround 2\nround 3\nready\nstopped\n", _pod.Output());
        Assert.Equal("exited 0 success", _pod.Status());
        Assert.Equal("once\n", _pod.Output("app2"));
        Assert.Equal("exited 5 exit-code", _pod.Status("app2"));
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task The_delay_grows_up_to_its_limit_and_a_pod_that_is_killed_says_so()
    {
        _pod.Shell("read up rest < /proc/uptime; echo $up; [ -e /data/last ] && exec sleep 1000; echo x >> /data/n; [ $(wc -l < /data/n) -lt 4 ] || touch /data/last; exit 1",
            runtime: Policy("always,delay=0.5,max-delay=3"));
        Stage1Process process = await _pod.StartAsync();
        await EventuallyAsync(() => _pod.Output().Count(c => c == '\n') == 5);
        double[] times = [.. _pod.Output().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => double.Parse(l, CultureInfo.InvariantCulture))];
        double[] atLeast = [0.5, 1, 2, 3];
        Assert.All(atLeast, (least, i) => Assert.True(times[i + 1] - times[i] >= least - 0.02, $"{times[i + 1] - times[i]} s before start {i + 2}"));
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.Zero);
        await process.Ended.WaitAsync(Limit);
        Assert.Equal("killed KILL pod", _pod.Status());
    }

    [Fact]
    public async Task Limits_hold_each_time()
    {
        _pod.Shell(
            Count + "grep -E '^[0-9]+:memory:|^0::' /proc/self/cgroup; case $n in 1|3) exec dd if=/dev/zero of=/dev/null bs=100M count=1;; 2) kill -9 $$;; esac",
            a => Handled(a) with { Isolators = [NspawnPod.Isolator("resource/memory", """{"limit":"32M"}"""), NspawnPod.Isolator("resource/cpu", """{"limit":"800m"}""")] },
            Policy("on-failure,delay=0.05"));
        Stage1Process process = await _pod.StartAsync();
        List<string> results = [];
        await EventuallyAsync(() =>
        {
            if (process.Ended.IsCompleted || Restarts().LastLine is not { } line || (results.Count > 0 && results[^1] == line))
            {
                return process.Ended.IsCompleted;
            }

            results.Add(line);
            return false;
        });
        string[] rounds = _pod.Output().Split("post\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, rounds.Length);
        Assert.Single(rounds.Select(r => r[(r.IndexOf("round", StringComparison.Ordinal) + "round 1".Length)..]).Distinct());
        Assert.Equal("exited 0 success", _pod.Status());
        Assert.Equal(["killed KILL oom-kill", "killed KILL signal", "killed KILL oom-kill"], results.Take(3));
        _pod.AssertNothingIsLeft();
    }

    private static App Handled(App app) => app with
    {
        EventHandlers = [new EventHandlerSpec("pre-start", ["/bin/sh", "-c", "echo pre"]), new EventHandlerSpec("post-stop", ["/bin/sh", "-c", "echo post"])],
    };

    private static RuntimeApp Policy(string text) =>
        new() { Annotations = [new Annotation(RestartPolicy.AnnotationName, RestartPolicy.Parse(text).ToString())] };

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        using CancellationTokenSource limit = new(Limit);
        while (!condition())
        {
            await Task.Delay(10, limit.Token);
        }
    }

    private AppRestarts Restarts(string app = "main") => AppRestarts.Read(_pod.Directory, AcName.Parse(app)) ?? throw new InvalidOperationException("nothing is recorded");
}
