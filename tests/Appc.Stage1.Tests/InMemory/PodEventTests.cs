using System.Collections.Concurrent;
using System.Threading.Channels;
using Appc.Pods;

namespace Appc.Stage1.InMemory;

public sealed class PodEventTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static CancellationToken End => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_whole_life_of_a_pod_is_told_to_another_runtime_in_order()
    {
        await using PodScene scene = await PodScene.CreateAsync();
        var release = new TaskCompletionSource();
        PodRuntime runtime = scene.NewRuntime(async (app, _) =>
        {
            await release.Task;
            return app.Name.ToString() == "bad" ? 3 : 0;
        });
        PodRuntime other = scene.NewRuntime((_, _) => Task.FromResult(0));
        using PodEventSubscription events = await other.SubscribeAsync();
        Pod prepared = await runtime.PrepareAsync(scene.Spec(), End);
        using PodEventSubscription one = await other.SubscribeAsync(new PodEventOptions { Pod = prepared.Uuid[..12] }, End);

        PodSpec spec = scene.Spec("good");
        spec.Apps.Add(new AppSpec(scene.Second) { Name = "bad" });
        spec.Name = "web";
        Pod pod = await runtime.RunAsync(spec, End);
        release.SetResult();
        await pod.WaitAsync(End);
        List<PodEvent> seen = await ReadUntilAsync(events, e => e.Kind == PodEventKind.Ended);
        await pod.RemoveAsync(End);
        seen.AddRange(await ReadUntilAsync(events, e => e.Kind == PodEventKind.Removed));
        seen.RemoveAll(e => e.Uuid != pod.Uuid);
        Assert.Equal(
            [PodEventKind.Created, PodEventKind.Prepared, PodEventKind.Started, PodEventKind.Ready, PodEventKind.AppEnded, PodEventKind.AppEnded, PodEventKind.Ended, PodEventKind.Removed],
            seen.Select(e => e.Kind));
        Assert.All(seen, e => Assert.False(e.FromSnapshot));
        Assert.All(seen.Where(e => e.Kind != PodEventKind.Created), e => Assert.Equal("web", e.Name));
        Assert.Equal([("bad", 3), ("good", 0)], seen.Where(e => e.App is not null).Select(e => (e.App!, e.ExitCode!.Value)).Order());
        Assert.Equal(3, seen.Single(e => e.Kind == PodEventKind.Ended).ExitCode);
        await prepared.RemoveAsync(End);
        Assert.Equal([PodEventKind.Removed], (await one.ReadAsync(timeout: Long, cancellationToken: End)).Select(e => e.Kind));
        Assert.Equal(prepared.Uuid, Assert.Single(await events.ReadAsync(timeout: Long, cancellationToken: End)).Uuid);
        Assert.Empty(await events.ReadAsync(timeout: TimeSpan.FromMilliseconds(20), cancellationToken: End));
    }

    [Fact]
    public async Task A_pod_that_is_removed_at_its_end_is_told_to_the_end()
    {
        await using PodScene scene = await PodScene.CreateAsync();
        PodRuntime runtime = scene.NewRuntime((_, _) => Task.FromResult(0));
        PodRuntime other = scene.NewRuntime((_, _) => Task.FromResult(0));
        using PodEventSubscription events = await other.SubscribeAsync(cancellationToken: End);
        for (int i = 0; i < 20; i++)
        {
            PodSpec spec = scene.Spec();
            spec.RemoveOnExit = true;
            Pod pod = await runtime.RunAsync(spec, End);
            await pod.WaitAsync(End);
        }

        int removed = 0;
        foreach (IGrouping<string, PodEvent> pod in (await ReadUntilAsync(events, e => e.Kind == PodEventKind.Removed && ++removed == 20)).GroupBy(e => e.Uuid))
        {
            // What came and went between two looks may be missing, but for the ends of what was begun.
            PodEventKind[] told = [.. pod.Select(e => e.Kind)];
            Assert.Equal(told.Order().Distinct(), told);
            Assert.Equal((PodEventKind.Created, PodEventKind.Removed), (told[0], told[^1]));
            Assert.Equal(told.Contains(PodEventKind.Started), told.Contains(PodEventKind.AppEnded) && told.Contains(PodEventKind.Ended));
        }
    }

    [Fact]
    public async Task A_snapshot_tells_what_is_there_and_what_follows_joins_it_without_a_gap()
    {
        await using PodScene scene = await PodScene.CreateAsync();
        var release = new TaskCompletionSource();
        PodRuntime runtime = scene.NewRuntime(async (_, _) =>
        {
            await release.Task;
            return 0;
        });
        Pod prepared = await runtime.PrepareAsync(scene.Spec(), End);
        Pod running = await runtime.RunAsync(scene.Spec(), End);
        PodRuntime other = scene.NewRuntime((_, _) => Task.FromResult(0));
        Channel<PodEvent> told = Channel.CreateUnbounded<PodEvent>();
        using var stop = new CancellationTokenSource();
        Task watching = Task.Run(async () =>
        {
            try
            {
                await foreach (PodEvent next in other.WatchAsync(new PodEventOptions { Snapshot = true }, stop.Token))
                {
                    told.Writer.TryWrite(next);
                }
            }
            catch (OperationCanceledException)
            {
                told.Writer.Complete();
            }
        });
        List<PodEvent> seen = [];
        while (seen.Count < 6)
        {
            seen.Add(await told.Reader.ReadAsync(End).AsTask().WaitAsync(Long));
        }

        Assert.All(seen, e => Assert.True(e.FromSnapshot));
        Assert.Equal([PodEventKind.Created, PodEventKind.Prepared], seen.Where(e => e.Uuid == prepared.Uuid).Select(e => e.Kind));
        Assert.Equal([PodEventKind.Created, PodEventKind.Prepared, PodEventKind.Started, PodEventKind.Ready], seen.Where(e => e.Uuid == running.Uuid).Select(e => e.Kind));
        release.SetResult();
        PodEvent appEnded = await told.Reader.ReadAsync(End).AsTask().WaitAsync(Long);
        PodEvent ended = await told.Reader.ReadAsync(End).AsTask().WaitAsync(Long);
        Assert.Equal((PodEventKind.AppEnded, PodEventKind.Ended), (appEnded.Kind, ended.Kind));
        await stop.CancelAsync();
        await watching;
        await Assert.ThrowsAsync<PodException>(() => other.SubscribeAsync(new PodEventOptions { Pod = "nobody" }, End));
    }

    [Fact]
    public async Task Every_subscriber_sees_each_pod_s_life_in_order_also_when_it_reads_slowly()
    {
        const int Pods = 300;
        await using PodScene scene = await PodScene.CreateAsync();
        PodRuntime runtime = scene.NewRuntime((_, _) => Task.FromResult(0));
        PodRuntime other = scene.NewRuntime((_, _) => Task.FromResult(0));
        using PodEventSubscription quick = await other.SubscribeAsync(cancellationToken: End);
        using PodEventSubscription slow = await other.SubscribeAsync(new PodEventOptions { Capacity = 8 }, End);
        ConcurrentBag<string> uuids = [];
        Task<List<PodEvent>> reading = ReadUntilAsync(quick, CountedEnds(Pods));
        await Parallel.ForAsync(0, Pods, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = End }, async (_, cancellation) =>
        {
            Pod pod = await runtime.RunAsync(scene.Spec(), cancellation);
            await pod.WaitAsync(cancellation);
            uuids.Add(pod.Uuid);
        });

        AssertOrdered(await reading, uuids, all: true);

        // Only now it begins to read: a few events waited, and the rest is told from the pods' files.
        AssertOrdered(await ReadUntilAsync(slow, CountedEnds(Pods)), uuids, all: true);
    }

    [Fact]
    public async Task Events_that_the_kernel_dropped_are_repaired_by_a_look()
    {
        const int Pods = 60;
        const string LimitFile = "/proc/sys/fs/inotify/max_queued_events";
        await using PodScene scene = await PodScene.CreateAsync();
        PodRuntime runtime = scene.NewRuntime((_, _) => Task.FromResult(0));
        PodRuntime other = scene.NewRuntime((_, _) => Task.FromResult(0));
        string limit = await File.ReadAllTextAsync(LimitFile, End);
        PodEventSubscription events;
        await File.WriteAllTextAsync(LimitFile, "2", End);
        try
        {
            // An instance keeps the limit of the moment at which it was made.
            events = await other.SubscribeAsync(cancellationToken: End);
        }
        finally
        {
            await File.WriteAllTextAsync(LimitFile, limit, End);
        }

        using (events)
        {
            Task<List<PodEvent>> reading = ReadUntilAsync(events, CountedEnds(Pods));
            ConcurrentBag<string> uuids = [];
            await Parallel.ForAsync(0, Pods, End, async (_, cancellation) =>
            {
                Pod pod = await runtime.RunAsync(scene.Spec(), cancellation);
                await pod.WaitAsync(cancellation);
                uuids.Add(pod.Uuid);
            });
            AssertOrdered(await reading, uuids, all: true);
        }
    }

    [Fact]
    public async Task Waits_for_the_pods_of_others_take_no_threads()
    {
        const int Waits = 1000;
        await using PodScene scene = await PodScene.CreateAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        PodRuntime runtime = scene.NewRuntime(async (_, _) =>
        {
            await release.Task;
            return 4;
        });
        PodRuntime other = scene.NewRuntime((_, _) => Task.FromResult(0));
        Pod[] pods = [.. await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => runtime.RunAsync(scene.Spec(), End)))];
        int before = Threads();
        Task<PodStatus>[] waits = [.. Enumerable.Range(0, Waits).Select(i => WaitAsync(pods[i % pods.Length].Uuid, ready: i % 2 == 0))];
        await Task.Delay(300, End);
        Assert.InRange(Threads() - before, -100, 30);
        release.SetResult();
        foreach (Task<PodStatus> wait in waits)
        {
            Assert.Equal(4, (await wait.WaitAsync(Long)).ExitCode);
        }

        async Task<PodStatus> WaitAsync(string uuid, bool ready)
        {
            Pod pod = await other.OpenAsync(uuid, End);
            if (ready)
            {
                await pod.WaitUntilReadyAsync(cancellationToken: End);
            }

            return await pod.WaitAsync(End);
        }

        static int Threads() => Directory.GetDirectories("/proc/self/task").Length;
    }

    [Fact]
    public async Task A_wait_can_be_cancelled_and_ends_with_its_runtime()
    {
        await using PodScene scene = await PodScene.CreateAsync();
        PodRuntime runtime = scene.NewRuntime(async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return 0;
        });
        PodRuntime other = scene.NewRuntime((_, _) => Task.FromResult(0));
        Pod pod = await runtime.RunAsync(scene.Spec(), End);
        Pod again = await other.OpenAsync(pod.Uuid, End);
        using var cancelled = new CancellationTokenSource();
        Task<PodStatus> one = again.WaitAsync(cancelled.Token);
        Task<PodStatus> two = again.WaitAsync(End);
        PodEventSubscription events = await other.SubscribeAsync(cancellationToken: End);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        await other.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => two.WaitAsync(Long));
        await events.Reader.Completion.WaitAsync(Long, End);
        Assert.Equal("SIGTERM", (await pod.StopAsync(cancellationToken: End)).Apps[0].Signal);
    }

    private static Func<PodEvent, bool> CountedEnds(int pods)
    {
        int ends = 0;
        return e => e.Kind == PodEventKind.Ended && ++ends == pods;
    }

    private static async Task<List<PodEvent>> ReadUntilAsync(PodEventSubscription events, Func<PodEvent, bool> last)
    {
        List<PodEvent> seen = [];
        while (true)
        {
            IReadOnlyList<PodEvent> some = await events.ReadAsync(50, Long, End);
            Assert.NotEmpty(some);
            foreach (PodEvent next in some)
            {
                seen.Add(next);
                if (last(next))
                {
                    return seen;
                }
            }
        }
    }

    private static void AssertOrdered(List<PodEvent> events, IEnumerable<string> uuids, bool all)
    {
        PodEventKind[] life = [PodEventKind.Created, PodEventKind.Prepared, PodEventKind.Started, PodEventKind.Ready, PodEventKind.AppEnded, PodEventKind.Ended];
        ILookup<string, PodEvent> byPod = events.ToLookup(e => e.Uuid);
        foreach (string uuid in uuids)
        {
            Assert.Equal(all ? life : [], byPod[uuid].Select(e => e.Kind));
        }
    }
}
