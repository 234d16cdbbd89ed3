using System.Diagnostics;
using System.Diagnostics.Metrics;
using Appc.Diagnostics;
using Appc.Fetching;
using Appc.Images;
using Appc.Trust;

namespace Appc.Core.Tests.Fetching;

/// <summary>Policies on the way in, signatures that come late, and what a host sees of it all.</summary>
public sealed class FetchPolicyTests
{
    [Fact]
    public async Task Policy_that_the_signatures_cannot_satisfy_is_told_before_the_archive_is_downloaded()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"));
        FetchOptions options = FetchScene.Options();
        options.Trust = TrustPolicy.RequireKeys(2);
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync("example.com/hello", options));
        Assert.Equal(TrustFailure.TooFewSigners, e.Failure);
        Assert.Equal(0, scene.Downloads(hello));
        Assert.Empty(scene.Leftovers);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("of another name")]
    [InlineData("of other bytes")]
    [InlineData("garbage")]
    public async Task Image_whose_id_the_policy_names_is_fetched_whatever_its_signature_is(string signature)
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = TestImage.Make("example.com/hello");
        TestImage other = scene.Offer(TestImage.Make("example.com/other"));
        scene.Server.File(FetchScene.Url(hello), hello.Archive);
        byte[]? file = signature switch
        {
            "of another name" => HashVerifier.Sign(hello.Archive, "example.com/hell"),
            "of other bytes" => other.Signature,
            "garbage" => "x"u8.ToArray(),
            _ => null,
        };
        if (file is not null)
        {
            scene.Server.File(FetchScene.Url(hello) + ".asc", file);
        }

        FetchOptions options = FetchScene.Options();
        options.Trust = TrustPolicy.AllowImages(other.Id.ToString());
        await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync("example.com/hello", options));
        Assert.Equal(0, await scene.CountImagesAsync());
        Assert.Empty(scene.Leftovers);

        options.Trust = options.Trust.WithImages(hello.Id.ToString());
        FetchResult result = await scene.Fetcher().FetchAsync("example.com/hello", options);
        Assert.Equal(TrustBasis.ImageId, result.Image.Provenance.Basis);
        Assert.Equal(options.Trust, result.Image.Provenance.Policy);
        Assert.Equal(FetchOrigin.Store, (await scene.Fetcher().FetchAsync("example.com/hello", options)).Origin);

        // What is not named needs its signature as ever.
        Assert.Equal(TrustBasis.Signatures, (await scene.Fetcher().FetchAsync("example.com/other", options)).Image.Provenance.Basis);
        Assert.Equal(TrustFailure.Unsigned, (await Assert.ThrowsAsync<TrustException>(
            () => scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options(PullPolicy.Never)))).Failure);
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Signature_that_is_not_ready_is_asked_for_again_after_the_archive_which_stays_packed_until_then()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello", payload: 300_000));
        int calls = 0;
        bool imageCame = false;
        scene.Server.On(FetchScene.Url(hello) + ".asc", async context =>
        {
            imageCame |= scene.Downloads(hello) > 0;
            context.Response.StatusCode = ++calls < 4 ? 202 : 200;
            context.Response.Headers.RetryAfter = "0";
            Assert.Equal(0, await scene.CountImagesAsync());
            await context.Response.Body.WriteAsync(calls < 4 ? "soon"u8.ToArray() : hello.Signature);
        });
        FetchResult result = await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options());
        Assert.Equal((hello.Id, TrustBasis.Signatures), (result.Image.Id, result.Image.Provenance.Basis));
        Assert.Equal((4, 1, true), (calls, scene.Downloads(hello), imageCame));
        Assert.Empty(scene.Leftovers);
    }

    [Theory]
    [InlineData(202)]
    [InlineData(404)]
    [InlineData(200)]
    public async Task Signature_that_never_becomes_ready_or_turns_out_bad_ends_the_fetch(int last)
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"), etag: "\"1\"");
        int calls = 0;
        scene.Server.On(FetchScene.Url(hello) + ".asc", async context =>
        {
            context.Response.StatusCode = ++calls == 1 ? 202 : last;
            await context.Response.Body.WriteAsync(HashVerifier.Sign("other bytes"u8.ToArray()));
        });
        AppcException e = await Assert.ThrowsAnyAsync<AppcException>(() => scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options()));
        Assert.Equal(
            last switch { 202 => "202", 404 => nameof(TrustFailure.Unsigned), _ => nameof(TrustFailure.BadSignature) },
            e is FetchException fault ? fault.StatusCode.ToString() : ((TrustException)e).Failure.ToString());
        Assert.Equal(last == 202 ? 4 : 2, calls);
        Assert.Equal(0, await scene.CountImagesAsync());

        // The next call, once the signature is there, needs at most what is missing and leaves nothing.
        scene.Server.File(FetchScene.Url(hello) + ".asc", hello.Signature);
        Assert.Equal(hello.Id, (await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options())).Image.Id);
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Fetches_downloads_and_discovery_are_traced_and_counted()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/traced"));
        var spans = new List<Activity>();
        var counts = new Dictionary<string, double>();
        using var root = new Activity("test").Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == AppcTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> o) => ActivitySamplingResult.AllData,
            ActivityStopped = a =>
            {
                lock (spans)
                {
                    spans.Add(a);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var meters = new MeterListener { InstrumentPublished = (i, l) => l.EnableMeasurementEvents(i) };
        meters.SetMeasurementEventCallback<long>((i, value, tags, _) => Count(i, value, tags));
        meters.SetMeasurementEventCallback<double>((i, value, tags, _) => Count(i, 1, tags));
        meters.Start();

        await scene.Fetcher().FetchAsync("example.com/traced", FetchScene.Options());
        await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync("example.com/untraced", FetchScene.Options()));

        Activity[] mine = [.. spans.Where(s => s.TraceId == root.TraceId)];
        Activity fetch = Assert.Single(mine, s => s.OperationName == "appc.fetch" && s.Status != ActivityStatusCode.Error);
        Assert.Equal(("example.com/traced", hello.Id.ToString(), "download"), (fetch.GetTagItem("appc.reference"), fetch.GetTagItem("appc.image.id"), fetch.GetTagItem("appc.origin")));
        Assert.Contains(mine, s => s.OperationName == "appc.download" && Equals(s.GetTagItem("appc.url"), FetchScene.Url(hello)));
        Assert.Contains(mine, s => s.OperationName == "appc.discover" && Equals(s.GetTagItem("appc.found"), true));
        Assert.Contains(mine, s => s is { OperationName: "appc.fetch", Status: ActivityStatusCode.Error });
        lock (counts)
        {
            // Other tests may fetch at the same time.
            Assert.True(counts["appc.fetch.bytes"] >= hello.Archive.Length);
            Assert.True(counts["appc.fetches download"] >= 1 && counts["appc.fetches failed"] >= 1);
            Assert.True(counts["appc.fetch.duration download"] >= 1 && counts["appc.discoveries True"] >= 1);
        }

        void Count(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string name = tags.Length > 0 ? $"{instrument.Name} {tags[0].Value}" : instrument.Name;
            lock (counts)
            {
                counts[name] = counts.GetValueOrDefault(name) + value;
            }
        }
    }
}
