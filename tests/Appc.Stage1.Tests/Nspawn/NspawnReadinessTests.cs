using Appc.Manifests;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

/// <summary>Readiness from an app to the pod.</summary>
public sealed class NspawnReadinessTests(NspawnFixture fixture) : IAsyncDisposable
{
    private readonly ServicePods _pods = new(fixture);

    public ValueTask DisposeAsync() => _pods.DisposeAsync();

    [Theory]
    [InlineData("announce")]
    [InlineData("child")]
    public async Task A_pod_is_ready_when_its_app_says_so(string mode)
    {
        AppSpec app = await _pods.AppAsync(mode);
        app.AnnouncesReadiness = true;
        Pod pod = await _pods.RunAsync(new PodSpec(app));
        await ServicePods.WaitForOutputAsync(pod, "up");
        PodStatus before = await pod.GetStatusAsync();
        Assert.Equal((PodState.Running, false, false), (before.State, before.Ready, before.Apps[0].Ready));

        // Anybody may wait, also who did not start it.
        await using PodRuntime other = _pods.NewRuntime();
        Pod opened = await other.OpenAsync(pod.Uuid);
        Task<PodStatus>[] waiting = [pod.WaitUntilReadyAsync(), opened.WaitUntilReadyAsync()];
        Assert.DoesNotContain(waiting, w => w.IsCompleted);
        await ServicePods.GoAsync(pod);
        foreach (PodStatus status in await Task.WhenAll(waiting).WaitAsync(ServicePods.Limit))
        {
            Assert.True(status.Ready);
            Assert.True(status.Apps[0].Ready);
        }

        PodStatus end = await pod.StopAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((0, false, true), (end.ExitCode, end.Ready, end.Apps[0].Ready));
    }

    [Fact]
    public async Task A_pod_that_is_not_ready_in_time_goes_on_and_the_error_names_who_is_waited_for()
    {
        AppSpec app = await _pods.AppAsync("silent");
        app.AnnouncesReadiness = true;
        Pod pod = await _pods.RunAsync(new PodSpec(app));

        PodException e = await Assert.ThrowsAsync<PodException>(() => pod.WaitUntilReadyAsync(TimeSpan.FromMilliseconds(300)));

        Assert.Equal(PodFailure.NotReady, e.Failure);
        Assert.Equal($"the pod {pod.Uuid} is not ready after 0.3 s: nothing was announced by service", e.Message);
        Assert.Equal(PodState.Running, (await pod.GetStatusAsync()).State);
    }

    [Fact]
    public async Task With_a_time_limit_an_app_that_does_not_become_ready_is_stopped()
    {
        AppSpec app = await _pods.AppAsync("silent");
        app.AnnouncesReadiness = true;
        Pod pod = await _pods.RunAsync(new PodSpec(app) { Options = new Stage1Options { ReadyTimeout = TimeSpan.FromMilliseconds(400) } });

        PodException e = await Assert.ThrowsAsync<PodException>(() => pod.WaitUntilReadyAsync().WaitAsync(ServicePods.Limit));

        Assert.Equal($"the pod {pod.Uuid} did not become ready: the app service ended, as it was stopped when its time to become ready was over", e.Message);
        Assert.Equal(PodState.Exited, (await pod.WaitAsync()).State);
    }

    [Fact]
    public async Task An_app_that_ends_before_it_is_ready_fails_the_wait()
    {
        AppSpec app = await _pods.AppAsync("serve");
        app.AnnouncesReadiness = true;
        Pod pod = await _pods.RunAsync(new PodSpec(app));

        PodException e = await Assert.ThrowsAsync<PodException>(() => pod.WaitUntilReadyAsync().WaitAsync(ServicePods.Limit));

        Assert.Equal($"the pod {pod.Uuid} did not become ready: the app service ended with exit code 8 before it announced READY=1", e.Message);
        Assert.Equal(8, (await pod.WaitAsync()).ExitCode);
    }

    [Fact]
    public async Task All_that_announce_are_waited_for_and_the_others_are_not()
    {
        ImageManifest Annotated(ImageManifest m) => m with { Annotations = [new Annotation(Stage1App.ReadinessAnnotation, "true")] };
        AppSpec one = await _pods.AppAsync("announce", Annotated);
        AppSpec two = await _pods.AppAsync("announce", Annotated);
        AppSpec three = await _pods.AppAsync("silent", Annotated);
        (one.Name, two.Name, three.Name) = ("one", "two", "three");
        three.AnnouncesReadiness = false;
        Pod pod = await _pods.RunAsync(new PodSpec { Apps = { one, two, three } });
        await ServicePods.WaitForOutputAsync(pod, "up", "one");

        await ServicePods.GoAsync(pod, "one");
        await ServicePods.WaitForOutputAsync(pod, "announced", "one");
        PodException e = await Assert.ThrowsAsync<PodException>(() => pod.WaitUntilReadyAsync(TimeSpan.FromMilliseconds(300)));
        Assert.EndsWith("nothing was announced by two", e.Message, StringComparison.Ordinal);

        await ServicePods.GoAsync(pod, "two");
        PodStatus status = await pod.WaitUntilReadyAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal([true, true, true], status.Apps.Select(a => a.Ready));
        PodManifest manifest = await pod.GetManifestAsync();
        Assert.Equal([true, true, false], manifest.Apps.Select(a => a.Annotations.Any(x => x.Name.ToString() == Stage1App.ReadinessAnnotation)));
    }

    [Fact]
    public async Task An_app_that_announces_nothing_is_ready_when_it_was_started()
    {
        Pod pod = await _pods.RunAsync(new PodSpec(await _pods.AppAsync("silent")));
        Assert.True((await pod.WaitUntilReadyAsync().WaitAsync(ServicePods.Limit)).Ready);
    }

    [Fact]
    public async Task A_pod_that_is_only_prepared_does_not_become_ready()
    {
        // Also where the empty directory that it belongs into was taken away.
        try
        {
            Directory.Delete(Path.Combine(_pods.Root, "pods/prepared"));
        }
        catch (IOException)
        {
            // It is not there, or holds the pod of another test.
        }

        Pod pod = await _pods.Runtime.PrepareAsync(new PodSpec(await _pods.AppAsync("silent")));
        PodException e = await Assert.ThrowsAsync<PodException>(() => pod.WaitUntilReadyAsync());
        Assert.Equal(PodFailure.WrongState, e.Failure);
        await pod.RemoveAsync();
    }

    [Fact]
    public async Task A_flavour_that_does_not_learn_of_it_refuses_when_asked_for_it()
    {
        AppSpec app = await _pods.AppAsync("announce");
        app.AnnouncesReadiness = true;
        PodException e = await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.PrepareAsync(new PodSpec(app) { Stage1 = "fly" }));
        Assert.Contains("the stage1 flavour fly does not learn when the app service is ready", e.Message, StringComparison.Ordinal);
    }
}
