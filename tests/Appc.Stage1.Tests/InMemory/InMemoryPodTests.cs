using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1;
using Appc.Stage1.InMemory;
using Appc.Trust;

namespace Appc.Stage1.Tests.InMemory;

/// <summary>The whole life of pods, with the flavour that runs nothing: what a host's own unit tests do.</summary>
public sealed class InMemoryPodTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("appc-inmem").FullName;

    private string Root => Path.Combine(_directory, "root");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_pod_runs_ends_and_is_collected()
    {
        using PodRuntime runtime = NewRuntime(async (app, _) =>
        {
            await app.StandardOutput.WriteLineAsync("hello from " + string.Join(' ', app.App.Exec));
            return 7;
        });
        StoredImage image = await ImportAsync(runtime, "example.com/hello", ["/bin/hello", "world"]);

        await using Pod pod = await runtime.RunAsync(Insecure(new AppSpec(image)));
        PodStatus end = await pod.WaitAsync();

        Assert.Equal(PodState.Exited, end.State);
        Assert.Equal(7, end.ExitCode);
        AppStatus app = Assert.Single(end.Apps);
        Assert.Equal("hello", app.Name.ToString());
        Assert.Equal(7, app.ExitCode);
        Assert.Equal(image.Id, app.ImageId);
        Assert.NotNull(end.Started);
        Assert.NotNull(end.Finished);
        Assert.Equal("hello from /bin/hello world\n", await pod.ReadOutputAsync());

        GarbageReport first = await runtime.CollectGarbageAsync();
        Assert.Equal([pod.Uuid], first.Marked);
        Assert.Equal(PodState.ExitedGarbage, (await pod.GetStatusAsync()).State);
        GarbageReport second = await runtime.CollectGarbageAsync(new GarbageOptions { GracePeriod = TimeSpan.Zero });
        Assert.Equal([pod.Uuid], second.Removed);
        Assert.Empty(await runtime.ListAsync());
        AssertNoPodLeft();
    }

    [Theory]
    [InlineData("example.com/hello", "hello")]
    [InlineData("example.com/~user/app_v1.2", "app-v1-2")]
    [InlineData("example.com/a.-_b", "a-b")]
    public async Task An_app_without_a_name_has_that_of_its_image(string image, string name)
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(0));
        Pod pod = await runtime.PrepareAsync(Insecure(new AppSpec(await ImportAsync(runtime, image, ["/bin/hello"]))));
        Assert.Equal(name, (await pod.GetManifestAsync()).Apps[0].Name.ToString());
    }

    [Fact]
    public async Task A_name_that_no_file_can_have_is_refused()
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(0));
        AppSpec app = new(await ImportAsync(runtime, "example.com/hello", ["/bin/hello"])) { Name = new string('a', 201) };
        PodException refused = await Assert.ThrowsAsync<PodException>(() => runtime.PrepareAsync(Insecure(app)));
        Assert.Contains("longer than 200 characters", Assert.Single(refused.Findings).Message, StringComparison.Ordinal);
        app.Name = new string('a', 200);
        await runtime.PrepareAsync(Insecure(app));
    }

    [Fact]
    public async Task A_strict_pod_is_refused_where_an_isolator_cannot_be_enforced()
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(0));
        StoredImage image = await ImportAsync(runtime, "example.com/hello", ["/bin/hello"]);
        PodSpec spec = Insecure(new AppSpec(image) { Isolators = { new MemoryIsolator(Quantity.OfBytes(1 << 26)) } });

        UnenforcedIsolator unenforced = Assert.Single(runtime.FindUnenforcedIsolators(spec));
        Assert.Equal(("hello", "resource/memory"), (unenforced.App!.ToString(), unenforced.Isolator.Name.ToString()));
        spec.Strict = true;
        PodException e = await Assert.ThrowsAsync<PodException>(() => runtime.RunAsync(spec));
        Assert.Equal(PodFailure.HostUnsuitable, e.Failure);
        Assert.Contains("resource/memory of the app hello", e.Message, StringComparison.Ordinal);
        Assert.Empty(await runtime.ListAsync());

        spec.Strict = false;
        await using Pod pod = await runtime.RunAsync(spec);
        Assert.Equal(0, (await pod.WaitAsync()).ExitCode);
    }

    [Fact]
    public async Task A_second_runtime_sees_a_running_pod_waits_for_it_and_reads_its_log()
    {
        var release = new TaskCompletionSource();
        using PodRuntime runtime = NewRuntime(async (app, _) =>
        {
            await app.StandardOutput.WriteLineAsync("up");
            await release.Task;
            return 0;
        });
        using PodRuntime other = NewRuntime((_, _) => Task.FromResult(0));
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        await using Pod pod = await runtime.RunAsync(Insecure(new AppSpec(image)));

        PodStatus seen = Assert.Single(await other.ListAsync());
        Assert.Equal(PodState.Running, seen.State);
        await using Pod again = await other.OpenAsync(pod.Uuid[..13]);
        Task<PodStatus> waiting = again.WaitAsync();
        using var output = new MemoryStream();
        Task following = again.CopyLogsAsync(output, null, follow: true);
        Assert.False(waiting.IsCompleted);
        PodException refused = await Assert.ThrowsAsync<PodException>(() => again.RemoveAsync());
        Assert.Equal(PodFailure.WrongState, refused.Failure);
        Assert.Empty((await other.CollectGarbageAsync(new GarbageOptions { GracePeriod = TimeSpan.Zero })).Removed);

        release.SetResult();
        Assert.Equal(0, (await waiting).ExitCode);
        await following;
        Assert.Equal("up\n"u8.ToArray(), output.ToArray());
    }

    [Fact]
    public async Task Stop_asks_first_and_kills_what_does_not_listen()
    {
        using PodRuntime runtime = NewRuntime(async (app, stop) =>
        {
            await Task.Delay(Timeout.Infinite, app.Name.ToString() == "deaf" ? CancellationToken.None : stop);
            return 0;
        });
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        var spec = Insecure(new AppSpec(image) { Name = "polite" });
        spec.Apps.Add(new AppSpec(image) { Name = "deaf" });
        await using Pod pod = await runtime.RunAsync(spec);

        PodStatus end = await pod.StopAsync(TimeSpan.FromMilliseconds(50));

        Assert.Equal("SIGTERM", end.Apps[0].Signal);
        Assert.Equal("SIGKILL", end.Apps[1].Signal);
        Assert.Equal(PodState.Exited, end.State);
    }

    [Fact]
    public async Task The_first_failure_stops_the_others_unless_the_last_exit_counts()
    {
        using PodRuntime runtime = NewRuntime(async (app, stop) =>
        {
            if (app.Name.ToString() == "bad")
            {
                return 3;
            }

            await Task.Delay(app.App.Exec[^1] == "brief" ? TimeSpan.FromMilliseconds(100) : Timeout.InfiniteTimeSpan, stop);
            return 0;
        });
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        var spec = Insecure(new AppSpec(image) { Name = "good" });
        spec.Apps.Add(new AppSpec(image) { Name = "bad" });
        PodStatus end = await (await runtime.RunAsync(spec)).WaitAsync();
        Assert.Equal(3, end.Apps[1].ExitCode);
        Assert.Equal("SIGTERM", end.Apps[0].Signal);
        Assert.Equal(3, end.ExitCode);

        spec = Insecure(new AppSpec(image) { Name = "good", Arguments = { "brief" } });
        spec.Apps.Add(new AppSpec(image) { Name = "bad" });
        spec.Options = spec.Options with { ExitPolicy = PodExitPolicy.LastExit };
        end = await (await runtime.RunAsync(spec)).WaitAsync();
        Assert.Equal(0, end.Apps[0].ExitCode);
        Assert.Equal(3, end.ExitCode);
    }

    [Fact]
    public async Task A_prepared_pod_is_run_once_and_keeps_its_image()
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(0));
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        Pod prepared = await runtime.PrepareAsync(Insecure(new AppSpec(image)));
        Assert.Equal(PodState.Prepared, (await prepared.GetStatusAsync()).State);
        ImageException inUse = await Assert.ThrowsAsync<ImageException>(() => runtime.Images.RemoveAsync(image.Id));
        Assert.Equal(ImageFailure.InUse, inUse.Failure);
        Assert.Contains(prepared.Uuid, inUse.Message, StringComparison.Ordinal);

        Pod pod = await runtime.RunPreparedAsync(prepared.Uuid);
        Assert.Equal(0, (await pod.WaitAsync()).ExitCode);
        PodException again = await Assert.ThrowsAsync<PodException>(() => runtime.RunPreparedAsync(prepared.Uuid));
        Assert.Equal(PodFailure.WrongState, again.Failure);
        await runtime.Images.RemoveAsync(image.Id);
        await pod.RemoveAsync();
        AssertNoPodLeft();
    }

    [Fact]
    public async Task An_unchecked_image_needs_the_same_explicit_word_to_run()
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(0));
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        TrustException refused = await Assert.ThrowsAsync<TrustException>(() => runtime.RunAsync(new PodSpec(new AppSpec(image))));
        Assert.Equal(TrustFailure.Unsigned, refused.Failure);
        Assert.Contains("example.com/a", refused.Message, StringComparison.Ordinal);
        Assert.NotNull(refused.Hint);
        AssertNoPodLeft();
    }

    [Fact]
    public async Task All_faults_of_a_specification_are_said_at_once_and_nothing_is_written()
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(0));
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        var spec = Insecure(new AppSpec(image) { Mounts = { new Mount(AcName.Parse("nowhere"), "/data") } });
        spec.Apps.Add(new AppSpec(image));
        spec.Ports.Add(new ExposedPort { Name = AcName.Parse("http"), HostPort = 80 });
        spec.Volumes.Add(new Volume { Name = AcName.Parse("v"), Kind = VolumeKind.Host, Source = "relative" });

        PodException refused = await Assert.ThrowsAsync<PodException>(() => runtime.RunAsync(spec));

        Assert.Equal(PodFailure.BadSpec, refused.Failure);
        foreach (string part in (string[])["two apps are called a", "nowhere", "http", "volume v"])
        {
            Assert.Contains(part, refused.Message, StringComparison.Ordinal);
        }

        AssertNoPodLeft();
    }

    [Fact]
    public async Task A_pod_that_asked_for_it_is_removed_at_its_end_and_its_waiters_still_learn_its_status()
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(5));
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        var spec = Insecure(new AppSpec(image));
        spec.RemoveOnExit = true;
        Pod pod = await runtime.RunAsync(spec);
        Assert.Equal(5, (await pod.WaitAsync()).ExitCode);
        Assert.Equal(PodState.Gone, (await pod.GetStatusAsync()).State);
        AssertNoPodLeft();
    }

    [Fact]
    public async Task Disposing_the_handle_stops_the_pod_only_if_that_was_asked()
    {
        using PodRuntime runtime = NewRuntime(async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return 0;
        });
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        Pod staying = await runtime.RunAsync(Insecure(new AppSpec(image)));
        await staying.DisposeAsync();
        Assert.Equal(PodState.Running, (await staying.GetStatusAsync()).State);

        var spec = Insecure(new AppSpec(image));
        spec.StopOnDispose = true;
        Pod bound = await runtime.RunAsync(spec);
        await bound.DisposeAsync();
        Assert.Equal(PodState.Exited, (await bound.GetStatusAsync()).State);
        await staying.StopAsync();
    }

    [Fact]
    public async Task Names_of_pods_are_prefixes_that_must_be_unique()
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(0));
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        for (int i = 0; i < 17; i++)
        {
            await (await runtime.RunAsync(Insecure(new AppSpec(image)))).WaitAsync();
        }

        // Seventeen pods, sixteen first digits.
        IReadOnlyList<PodStatus> all = await runtime.ListAsync();
        string shared = all.GroupBy(p => p.Uuid[..1]).First(g => g.Count() > 1).Key;
        Assert.Equal(PodFailure.Ambiguous, (await Assert.ThrowsAsync<PodException>(() => runtime.OpenAsync(shared))).Failure);
        Assert.Equal(PodFailure.NotFound, (await Assert.ThrowsAsync<PodException>(() => runtime.OpenAsync("zz"))).Failure);
        Assert.Equal(PodFailure.NotFound, (await Assert.ThrowsAsync<PodException>(() => runtime.OpenAsync(""))).Failure);
        Assert.Equal(all[0].Uuid, (await runtime.OpenAsync(all[0].Uuid.ToUpperInvariant())).Uuid);
    }

    [Theory]
    [InlineData("pod", "")]
    [InlineData("pod", null)]
    [InlineData("options.json", "")]
    [InlineData("options.json", "{\"version\":1}")]
    [InlineData("options.json", null)]
    public async Task A_damaged_pod_spoils_no_list_and_is_collected(string file, string? content)
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(0));
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        Pod whole = await runtime.RunAsync(Insecure(new AppSpec(image)));
        Pod damaged = await runtime.RunAsync(Insecure(new AppSpec(image)));
        await whole.WaitAsync();
        await damaged.WaitAsync();
        string path = Path.Combine(Root, "pods", "run", damaged.Uuid, file);
        if (content is null)
        {
            File.Delete(path);
        }
        else
        {
            File.WriteAllText(path, content);
        }

        Assert.Equal(2, (await runtime.ListAsync()).Count);
        Assert.Equal(PodState.Exited, (await damaged.GetStatusAsync()).State);
        GarbageReport report = await runtime.CollectGarbageAsync(new GarbageOptions { GracePeriod = TimeSpan.Zero });
        Assert.Empty(report.Failures);
        Assert.Equal(2, report.Removed.Count);
        AssertNoPodLeft();
    }

    [Fact]
    public async Task A_pod_of_a_newer_version_is_left_alone_with_a_word_of_why()
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(0));
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        Pod pod = await runtime.RunAsync(Insecure(new AppSpec(image)));
        await pod.WaitAsync();
        string path = Path.Combine(Root, "pods", "run", pod.Uuid, "options.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"version\":1", "\"version\":2", StringComparison.Ordinal));

        Assert.Equal(PodState.Exited, Assert.Single(await runtime.ListAsync()).State);
        string failure = Assert.Single((await runtime.CollectGarbageAsync(new GarbageOptions { GracePeriod = TimeSpan.Zero })).Failures);
        Assert.Contains("newer version", failure, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Root, "pods", "run", pod.Uuid, "options.json")));
    }

    [Fact]
    public async Task Lists_and_waits_beside_a_collector_never_fail()
    {
        using PodRuntime runtime = NewRuntime((_, _) => Task.FromResult(0));
        using PodRuntime collector = NewRuntime((_, _) => Task.FromResult(0));
        StoredImage image = await ImportAsync(runtime, "example.com/a", ["/a"]);
        using var end = new CancellationTokenSource();
        Task collecting = Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                Assert.Empty((await collector.CollectGarbageAsync(new GarbageOptions { GracePeriod = TimeSpan.Zero })).Failures);
            }
        });
        Task listing = Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await collector.ListAsync();
            }
        });
        for (int i = 0; i < 100; i++)
        {
            PodStatus status = await (await runtime.RunAsync(Insecure(new AppSpec(image)))).WaitAsync();
            Assert.True(status.HasEnded);
        }

        await end.CancelAsync();
        await collecting;
        await listing;
    }

    private void AssertNoPodLeft() =>
        Assert.DoesNotContain(
            Directory.Exists(Path.Combine(Root, "pods")) ? Directory.EnumerateFiles(Path.Combine(Root, "pods"), "*", SearchOption.AllDirectories) : [],
            f => Path.GetFileName(f) is not ("version" or ".lock"));

    private PodRuntime NewRuntime(Func<InMemoryApp, CancellationToken, Task<int>> behaviour) =>
        new PodRuntimeBuilder(Root).UseInMemory(behaviour).Build();

    private static PodSpec Insecure(AppSpec app) => new(app) { Trust = TrustPolicy.Insecure };

    private async Task<StoredImage> ImportAsync(PodRuntime runtime, string name, string[] exec)
    {
        string rootfs = Directory.CreateDirectory(Path.Combine(_directory, "rootfs")).FullName;
        var manifest = new ImageManifest { Name = AcIdentifier.Parse(name), App = new App { Exec = exec, User = "0", Group = "0" } };
        string archive = Path.Combine(_directory, Guid.NewGuid().ToString("N") + ".aci");
        await AciWriter.BuildAsync(manifest, rootfs, archive);
        return await runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure });
    }
}
