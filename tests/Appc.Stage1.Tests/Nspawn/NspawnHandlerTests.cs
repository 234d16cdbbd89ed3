using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

public sealed class NspawnHandlerTests(NspawnFixture fixture) : IDisposable
{
    private readonly NspawnPod _pod = new(fixture);

    public void Dispose() => _pod.Dispose();

    [Fact]
    public async Task Handlers_run_before_and_after_the_app_isolated_as_it_is()
    {
        const string Who = "id -u; grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; pwd; echo $GREETING $AC_APP_NAME; cat /data/steps";
        Func<App, App> handled = Handled("echo pre >> /data/steps; " + Who, "echo post >> /data/steps; " + Who);
        _pod.Shell(
            "echo app >> /data/steps; " + Who,
            a => handled(a) with { Environment = [new EnvironmentVariable("GREETING", "hello")], WorkingDirectory = "/tmp" });
        string[] parts = (await _pod.RunAsync()).Split("hello main\n");
        Assert.Equal(4, parts.Length);
        Assert.Equal(parts[0], parts[1]["pre\n".Length..]);
        Assert.Equal(parts[0], parts[2]["pre\napp\n".Length..]);
        Assert.Equal("pre\napp\npost\n", parts[3]);
        Assert.Equal("exited 0 success", _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData("exit 5", "exited 5 exit-code")]
    [InlineData("kill -9 $$", "killed KILL signal")]
    public async Task The_app_does_not_start_where_its_first_handler_fails(string script, string status)
    {
        _pod.Shell("echo app", Handled(script, "echo post"));
        Assert.Equal("", await _pod.RunAsync());
        Assert.Equal(status, _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData("exit 3", "exited 3 exit-code")]
    [InlineData("kill -SEGV $$", "killed SEGV signal")]
    public async Task The_last_handler_runs_however_the_app_ends_and_changes_nothing(string script, string status)
    {
        _pod.Shell(script, Handled(null, "echo post; exit 9"));
        Assert.Equal("post\n", await _pod.RunAsync());
        Assert.Equal(status, _pod.Status());
    }

    [Fact]
    public async Task A_stopped_pod_runs_the_last_handlers_of_its_apps()
    {
        const string Waiting = "trap 'echo stopped; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
        _pod.Shell(Waiting, Handled("true", "echo post"));
        _pod.Shell(Waiting, Handled(null, "echo post"));
        Stage1Process process = await _pod.StartAndWaitForAsync("ready", "app2");
        await _pod.WaitForAsync("ready");
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(30));
        await process.Ended;
        Assert.Equal("ready\nstopped\npost\n", _pod.Output());
        Assert.Equal("ready\nstopped\npost\n", _pod.Output("app2"));
        Assert.Equal("exited 0 success", _pod.Status());
    }

    [Fact]
    public async Task One_apps_handlers_do_not_end_the_others()
    {
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        _pod.Shell("echo never", Handled("exit 1", "echo post"));
        _pod.Shell("sleep 0.3; echo second", Handled(null, "echo after"));
        await _pod.RunAsync();
        Assert.Equal("", _pod.Output());
        Assert.Equal("exited 1 exit-code", _pod.Status());
        Assert.Equal("second\nafter\n", _pod.Output("app2"));
    }

    [Fact]
    public async Task A_handler_that_is_not_there_is_said_before_anything_runs()
    {
        _pod.Add(new App { Exec = ["/bin/true"], EventHandlers = [new EventHandlerSpec("pre-start", ["/bin/nothing"])] });
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(_pod.StartAsync);
        Assert.Contains("/bin/nothing", e.Message, StringComparison.Ordinal);
    }

    private static Func<App, App> Handled(string? preStart, string? postStop)
    {
        List<EventHandlerSpec> handlers = [];
        if (preStart is not null)
        {
            handlers.Add(new EventHandlerSpec("pre-start", ["/bin/sh", "-c", preStart]));
        }

        if (postStop is not null)
        {
            handlers.Add(new EventHandlerSpec("post-stop", ["sh", "-c", postStop]));
        }

        return a => a with { EventHandlers = handlers };
    }
}
