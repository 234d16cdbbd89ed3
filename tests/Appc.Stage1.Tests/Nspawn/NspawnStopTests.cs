using Appc.Manifests;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

/// <summary>Every app is asked to stop by its signal and has its time, whoever stops the pod.</summary>
public sealed class NspawnStopTests(NspawnFixture fixture) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly NspawnPod _pod = new(fixture);

    public void Dispose() => _pod.Dispose();

    [Fact]
    public async Task Each_app_has_its_own_signal_and_time_longer_and_shorter_than_the_default()
    {
        _pod.Shell("trap 'sleep 12; echo saved; exit 5' QUIT; trap 'echo wrong' TERM; echo ready; while :; do sleep 0.05; done", runtime: With("60", "SIGQUIT"))
            .Shell("trap 'echo ignored' TERM; echo ready; while :; do sleep 0.05; done", runtime: With("1", null));
        Stage1Process process = await _pod.StartAndWaitForAsync("ready");
        await _pod.WaitForAsync("ready", "app2");
        using NspawnStage1 other = new();
        await other.StopAsync(_pod.Describe(), process.Id, Timeout.InfiniteTimeSpan).WaitAsync(Limit);
        await process.Ended.WaitAsync(Limit);
        Assert.Equal(("exited 5 exit-code", "ready\nsaved\n"), (_pod.Status(), _pod.Output()));
        Assert.Equal("killed KILL timeout", _pod.Status("app2"));
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_signal_to_the_first_process_leaves_an_app_its_time_and_a_grace_bounds_it()
    {
        _pod.Shell("trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done", runtime: With("60", null));
        Stage1Process process = await _pod.StartAndWaitForAsync("ready");
        using (Microsoft.Win32.SafeHandles.SafeFileHandle first = Linux.PidFd.TryOpen(process.Id.Pid, process.Id.StartTime)!)
        {
            Linux.PidFd.Signal(first, Tmds.Linux.LibC.SIGTERM);
        }

        await _pod.WaitForAsync("asked");
        Assert.False(process.Ended.IsCompleted);
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(1)).WaitAsync(Limit);
        await process.Ended.WaitAsync(Limit);
        Assert.Equal("killed KILL pod", _pod.Status());
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task The_pods_manifest_tells_what_the_pod_asks_for_and_else_what_the_image_says()
    {
        await using ServicePods pods = new(fixture);
        AppSpec app = await pods.AppAsync("serve", m => m with
        {
            Annotations = [new Annotation(Stage1App.StopTimeoutAnnotation, "100000"), new Annotation(Stage1App.StopSignalAnnotation, "SIGRTMIN+3")],
        });
        Assert.Equal((TimeSpan.FromSeconds(90), 37), await DecideAsync(pods, app));
        (app.StopTimeout, app.StopSignal) = (TimeSpan.FromMilliseconds(1500), "QUIT");
        Assert.Equal((TimeSpan.FromSeconds(1.5), 3), await DecideAsync(pods, app));
        (app.StopTimeout, app.StopSignal) = (TimeSpan.Zero, "SIGNOTHING");
        PodException refused = await Assert.ThrowsAsync<PodException>(() => DecideAsync(pods, app));
        Assert.Contains("stop timeout '0'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("stop signal 'SIGNOTHING'", refused.Message, StringComparison.Ordinal);
    }

    internal static RuntimeApp With(string? timeout, string? signal) => new()
    {
        Annotations =
        [
            .. timeout is null ? (Annotation[])[] : [new Annotation(Stage1App.StopTimeoutAnnotation, timeout)],
            .. signal is null ? (Annotation[])[] : [new Annotation(Stage1App.StopSignalAnnotation, signal)],
        ],
    };

    private static async Task<(TimeSpan? Timeout, int Signal)> DecideAsync(ServicePods pods, AppSpec app)
    {
        Pod pod = await pods.Runtime.PrepareAsync(new PodSpec(app));
        RuntimeApp runtime = (await pod.GetManifestAsync()).Apps[0];
        await pod.RemoveAsync();
        Stage1App described = new() { Name = runtime.Name, App = runtime.App!, Runtime = runtime, Layers = [] };
        return (described.StopTimeout, described.StopSignal);
    }
}
