using Appc.Fetching;
using Microsoft.AspNetCore.Http;

namespace Appc.Core.Tests.Fetching;

public sealed class ConcurrencyTests
{
    [Fact]
    public async Task Hundred_fetches_of_twenty_images_download_each_once()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage[] images = [.. Enumerable.Range(0, 20).Select(i => scene.Offer(TestImage.Make($"example.com/i{i}")))];
        ImageFetcher fetcher = scene.Fetcher();

        FetchResult[] results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => fetcher.FetchAsync(images[i % 20].Name, FetchScene.Options())));

        Assert.Equal(images.Select(i => i.Id).Order(), results.Select(r => r.Image.Id).Distinct().Order());
        Assert.All(images, i => Assert.Equal(1, scene.Downloads(i)));
        Assert.Equal(20, await scene.CountImagesAsync());
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Fetchers_of_one_data_directory_wait_for_each_other()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"));
        var started = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        scene.Server.On(FetchScene.Url(hello), async context =>
        {
            started.SetResult();
            await go.Task;
            await context.Response.Body.WriteAsync(hello.Archive);
        });
        Task<FetchResult> first = scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options());
        await started.Task;
        var waiting = new TaskCompletionSource();
        Task<FetchResult> second = scene.Fetcher(o => o.LoggerFactory = new SignalLogger("Another process is downloading", waiting)).FetchAsync("example.com/hello", FetchScene.Options());
        await waiting.Task;
        go.SetResult();

        Assert.Equal((hello.Id, FetchOrigin.Download), ((await first).Image.Id, (await first).Origin));
        Assert.Equal((hello.Id, FetchOrigin.Cache), ((await second).Image.Id, (await second).Origin));
        Assert.Equal(1, scene.Downloads(hello));
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task One_that_gives_up_does_not_stop_the_others()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"));
        var started = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        scene.Server.On(FetchScene.Url(hello), async context =>
        {
            started.SetResult();
            await go.Task;
            await context.Response.Body.WriteAsync(hello.Archive);
        });
        ImageFetcher fetcher = scene.Fetcher();
        using var stop = new CancellationTokenSource();
        Task<FetchResult> leaves = fetcher.FetchAsync("example.com/hello", FetchScene.Options(), null, stop.Token);
        Task<FetchResult> stays = fetcher.FetchAsync("example.com/hello", FetchScene.Options());
        await started.Task;

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        go.SetResult();

        Assert.Equal(hello.Id, (await stays).Image.Id);
        Assert.Equal(1, scene.Downloads(hello));
    }

    [Fact]
    public async Task Last_one_that_gives_up_ends_the_work_and_leaves_nothing_that_cannot_be_continued()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello", payload: 500_000));
        using var stop = new CancellationTokenSource();
        scene.Server.On(FetchScene.Url(hello), async context =>
        {
            context.Response.ContentLength = hello.Archive.Length;
            await context.Response.Body.WriteAsync(hello.Archive.AsMemory(0, 200_000));
            await context.Response.Body.FlushAsync();
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options(), null, stop.Token));

        Assert.Empty(scene.Leftovers);
        Assert.Equal(0, await scene.CountImagesAsync());
    }

    [Fact]
    public async Task Interrupted_download_is_continued_by_the_next_call_and_then_nothing_is_left()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello", payload: 2_000_000), etag: "\"v1\"");
        using var stop = new CancellationTokenSource();
        var progress = new CallbackProgress(p =>
        {
            if (p is { Phase: "downloading", Bytes: > 0 })
            {
                stop.Cancel();
            }
        });
        scene.Server.On(FetchScene.Url(hello), async context =>
        {
            context.Response.Headers.ETag = "\"v1\"";
            context.Response.ContentLength = hello.Archive.Length;
            await context.Response.Body.WriteAsync(hello.Archive.AsMemory(0, 1_000_000));
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options(), progress, stop.Token));
        Assert.Equal(2, scene.Leftovers.Count(l => l.Contains("archive.", StringComparison.Ordinal)));

        scene.Offer(hello, etag: "\"v1\"");
        FetchResult result = await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options());

        Assert.Equal(hello.Id, result.Image.Id);
        Assert.StartsWith("bytes=", scene.Server.Requests[^1].Range, StringComparison.Ordinal);
        Assert.Equal("\"v1\"", scene.Server.Requests[^1].IfRange);
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Call_that_requires_a_signature_shares_nothing_with_one_that_does_not()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"));
        var started = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        scene.Server.On(FetchScene.Url(hello), async context =>
        {
            started.TrySetResult();
            await go.Task;
            await context.Response.Body.WriteAsync(hello.Archive);
        });
        ImageFetcher fetcher = scene.Fetcher();
        FetchOptions insecure = FetchScene.Options();
        insecure.Trust = Appc.Trust.TrustPolicy.Insecure;
        Task<FetchResult> lax = fetcher.FetchAsync("example.com/hello", insecure);
        await started.Task;
        Task<FetchResult> strict = fetcher.FetchAsync("example.com/hello", FetchScene.Options());
        go.SetResult();

        Assert.True((await lax).Image.Provenance.Insecure);
        Assert.False((await strict).Image.Provenance.Insecure);
        Assert.Equal(2, scene.Downloads(hello));
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Part_that_nobody_continues_is_collected()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        string part = Directory.CreateDirectory(Path.Combine(scene.Root, "tmp", "fetch-0123")).FullName;
        await File.WriteAllTextAsync(Path.Combine(part, "archive.aci"), "half");

        await scene.Store.CollectLeftoversAsync();

        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Failure_is_told_to_all_who_wait_and_the_next_call_tries_again()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = TestImage.Make("example.com/hello");
        ImageFetcher fetcher = scene.Fetcher();

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Assert.ThrowsAsync<Appc.Trust.TrustException>(() => fetcher.FetchAsync("example.com/hello", FetchScene.Options()))));
        scene.Offer(hello);

        Assert.Equal(hello.Id, (await fetcher.FetchAsync("example.com/hello", FetchScene.Options())).Image.Id);
    }

    private sealed class CallbackProgress(Action<FetchProgress> callback) : IProgress<FetchProgress>
    {
        public void Report(FetchProgress value) => callback(value);
    }
}
