using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Stage1.InMemory;

public sealed class PodNameTests
{
    private static CancellationToken End => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_name_is_one_pod_s_until_that_is_removed()
    {
        await using PodScene scene = await PodScene.CreateAsync();
        PodRuntime runtime = scene.NewRuntime((_, _) => Task.FromResult(0));
        PodSpec spec = scene.Spec();
        spec.Name = "web";
        spec.Labels["team"] = "blue";
        Pod pod = await runtime.RunAsync(spec, End);
        await pod.WaitAsync(End);

        Assert.Equal(pod.Uuid, (await scene.NewRuntime((_, _) => Task.FromResult(0)).OpenAsync("web", End)).Uuid);
        PodException taken = await Assert.ThrowsAsync<PodException>(() => runtime.PrepareAsync(spec, End));
        Assert.Equal(PodFailure.NameTaken, taken.Failure);
        Assert.Contains(pod.Uuid, taken.Message, StringComparison.Ordinal);
        Assert.Single(await runtime.ListAsync(End));

        Pod plain = await runtime.PrepareAsync(scene.Spec("other"), End);
        Assert.Equal([pod.Uuid], await ListAsync(f => f.Name = "web"));
        Assert.Equal([pod.Uuid], await ListAsync(f => f.Labels["team"] = "blue"));
        Assert.Equal([pod.Uuid], await ListAsync(f => f.Labels["team"] = null));
        Assert.Empty(await ListAsync(f => f.Labels["team"] = "red"));
        Assert.Equal([plain.Uuid], await ListAsync(f => f.States.Add(PodState.Prepared)));
        Assert.Equal([plain.Uuid], await ListAsync(f => f.App = "other"));
        Assert.Equal(2, (await ListAsync(f => f.Image = scene.Image.Id)).Count);
        Assert.Empty(await ListAsync(f => f.Stage1 = "fly"));
        PodStatus status = await pod.GetStatusAsync(End);
        Assert.Equal(("web", "blue"), (status.Name, status.Labels["team"]));
        Assert.NotNull(status.Apps[0].Started);

        await pod.RemoveAsync(End);
        await Assert.ThrowsAsync<PodException>(() => runtime.OpenAsync("web", End));
        Assert.Equal("web", (await (await runtime.PrepareAsync(spec, End)).GetStatusAsync(End)).Name);

        async Task<IReadOnlyList<string>> ListAsync(Action<PodFilter> set)
        {
            var filter = new PodFilter();
            set(filter);
            return [.. (await runtime.ListAsync(filter, End)).Select(p => p.Uuid)];
        }
    }

    [Fact]
    public async Task Of_many_that_want_a_name_at_once_one_gets_it()
    {
        await using PodScene scene = await PodScene.CreateAsync();
        PodRuntime[] runtimes = [.. Enumerable.Range(0, 4).Select(_ => scene.NewRuntime((_, _) => Task.FromResult(0)))];

        // Left by somebody who was killed: means nothing, and does not keep anybody from the name.
        Directory.CreateDirectory(Path.Combine(scene.Root, "pods", "names"));
        await File.WriteAllTextAsync(Path.Combine(scene.Root, "pods", "names", "one"), Guid.NewGuid() + "\n", End);
        await File.WriteAllTextAsync(Path.Combine(scene.Root, "pods", "names", "torn"), "", End);
        string?[] got = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            PodSpec spec = scene.Spec();
            spec.Name = "one";
            try
            {
                return (await Task.Run(() => runtimes[i % 4].PrepareAsync(spec, End))).Uuid;
            }
            catch (PodException e) when (e.Failure == PodFailure.NameTaken)
            {
                return null;
            }
        }));

        string winner = Assert.Single(got, g => g is not null)!;
        Assert.Equal(winner, (await runtimes[0].OpenAsync("one", End)).Uuid);
        Assert.Single(await runtimes[0].ListAsync(End));
        GarbageReport report = await runtimes[0].CollectGarbageAsync(new GarbageOptions { ExpirePrepared = TimeSpan.Zero }, End);
        GarbagePod removed = Assert.Single(report.Pods);
        Assert.Equal((winner, "one", GarbageAction.Removed), (removed.Uuid, removed.Name, removed.Action));
        Assert.True(report.BytesFreed > 0);
        Assert.Equal(1, report.PodLeftovers);
        Assert.Equal([".lock"], Directory.GetFiles(Path.Combine(scene.Root, "pods", "names")).Select(p => Path.GetFileName(p)));
    }

    [Fact]
    public async Task All_that_is_wrong_is_said_at_once_and_nothing_is_written()
    {
        await using PodScene scene = await PodScene.CreateAsync();
        PodRuntime runtime = scene.NewRuntime((_, _) => Task.FromResult(0));
        PodSpec holder = scene.Spec();
        holder.Name = "web";
        Pod pod = await runtime.PrepareAsync(holder, End);
        PodSpec spec = scene.Spec();
        spec.Name = "web";
        spec.Strict = true;
        spec.Labels["No Key"] = "x";
        spec.Labels["ok"] = "two\nlines";
        spec.Apps[0].Mounts.Add(new Mount(AcName.Parse("nowhere"), "/data"));
        spec.Apps[0].Isolators.Add(new MemoryIsolator(Quantity.OfBytes(1 << 26)));
        spec.Ports.Add(new ExposedPort { Name = AcName.Parse("http"), HostPort = 8080 });
        spec.Ports.Add(new ExposedPort { Name = AcName.Parse("https"), HostPort = 8080, HostIp = "127.0.0.1" });
        spec.Ports.Add(new ExposedPort { Name = AcName.Parse("quic"), HostPort = 8080 });
        var second = new AppSpec(scene.Second);
        spec.Apps.Add(second);
        await runtime.Images.RemoveAsync(scene.Second.Id, cancellationToken: End);

        PodException e = await Assert.ThrowsAsync<PodException>(() => runtime.RunAsync(spec, End));

        Assert.Equal(PodFailure.BadSpec, e.Failure);
        foreach (string expected in (string[])["'No Key'", "label ok", "the volume nowhere", "share the tcp port 8080", "resource/memory of the app a", scene.Second.Id.ToString()])
        {
            Assert.Single(e.Findings, f => f.Message.Contains(expected, StringComparison.Ordinal));
            Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        }

        Assert.Single(e.Findings, f => f.Failure == PodFailure.NameTaken);
        Assert.Single(e.Findings, f => f.Failure == PodFailure.HostUnsuitable);
        Assert.Equal(7, e.Findings.Count);
        Assert.Equal([pod.Uuid], (await runtime.ListAsync(End)).Select(p => p.Uuid));
        foreach (string name in (string[])["Upper", "", "a--", "../x", pod.Uuid, new string('a', 129)])
        {
            PodSpec bad = scene.Spec();
            bad.Name = name;
            Assert.Equal(PodFailure.BadSpec, (await Assert.ThrowsAsync<PodException>(() => runtime.PrepareAsync(bad, End))).Failure);
        }
    }

    [Fact]
    public async Task Pods_of_a_newer_layout_are_left_alone()
    {
        await using PodScene scene = await PodScene.CreateAsync();
        PodRuntime runtime = scene.NewRuntime((_, _) => Task.FromResult(0));
        Pod pod = await runtime.PrepareAsync(scene.Spec(), End);
        string file = Path.Combine(scene.Root, "pods", "version");
        Assert.Equal("1\n", await File.ReadAllTextAsync(file, End));
        File.Delete(file);
        Assert.Single(await runtime.ListAsync(End));
        await File.WriteAllTextAsync(file, "2\n", End);
        foreach (Func<Task> call in (Func<Task>[])[() => runtime.ListAsync(End), () => runtime.OpenAsync(pod.Uuid, End), () => runtime.PrepareAsync(scene.Spec(), End), () => runtime.CollectGarbageAsync(cancellationToken: End), () => runtime.SubscribeAsync(cancellationToken: End)])
        {
            PodException e = await Assert.ThrowsAsync<PodException>(call);
            Assert.Contains("layout version '2'", e.Message, StringComparison.Ordinal);
        }

        RuntimeHealth health = await runtime.CheckHealthAsync(End);
        Assert.False(health.IsHealthy);
        await File.WriteAllTextAsync(file, "1\n", End);
        health = await runtime.CheckHealthAsync(End);
        Assert.True(health.IsHealthy, string.Join("; ", health.Problems));
        Assert.True(health.IsWritable && health.FreeBytes > 0);
        Assert.Equal("in-memory", Assert.Single(health.Stage1s).Name);
        Assert.False(LockFile.IsHeld(Path.Combine(scene.Root, "pods", "names", ".lock")));
    }
}
