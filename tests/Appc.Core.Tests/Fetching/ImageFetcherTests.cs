using Appc.Fetching;
using Appc.Images;
using Appc.Manifests;
using Appc.Trust;
using Microsoft.AspNetCore.Http;

namespace Appc.Core.Tests.Fetching;

public sealed class ImageFetcherTests
{
    [Fact]
    public async Task Name_is_discovered_downloaded_checked_and_stored()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"));
        ImageFetcher fetcher = scene.Fetcher();

        FetchResult result = await fetcher.FetchAsync("example.com/hello", FetchScene.Options());

        Assert.Equal(FetchOrigin.Download, result.Origin);
        Assert.Equal(hello.Id, result.Image.Id);
        Assert.Equal(FetchScene.Url(hello), result.Image.Provenance.Source);
        Assert.True(result.Image.Provenance.Latest);
        Assert.False(result.Image.Provenance.Insecure);
        Assert.Equal("aa", result.Image.Provenance.Signer!.Fingerprint);
        Assert.Equal(hello.Archive, await File.ReadAllBytesAsync(result.Image.ArchivePath));
        Assert.Equal(hello.Signature, await File.ReadAllBytesAsync(result.Image.ArchivePath + ".asc"));
        Assert.Equal([DiscoveryOutcome.HttpStatus, DiscoveryOutcome.Found], result.Discovery!.Tried.Select(t => t.Outcome));
        Assert.Equal(
            ["https://example.com/example.com/hello-latest-linux-amd64.aci.asc", "https://example.com/example.com/hello-latest-linux-amd64.aci"],
            scene.Server.Urls.Skip(2));
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Version_and_labels_that_are_asked_for_lead_the_way_and_must_be_in_the_manifest()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage arm = scene.Offer(TestImage.Make("example.com/hello", "version=2.0.0,os=linux,arch=aarch64"), "2.0.0", arch: "aarch64");
        ImageFetcher fetcher = scene.Fetcher();

        FetchResult result = await fetcher.FetchAsync("example.com/hello:2.0.0,arch=aarch64", FetchScene.Options());

        Assert.Equal(arm.Id, result.Image.Id);
        Assert.False(result.Image.Provenance.Latest);
    }

    [Fact]
    public async Task Stored_image_is_taken_without_a_request_unless_an_update_is_asked_for()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"));
        await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options());
        int before = scene.Server.Requests.Count;

        foreach (string reference in new[] { "example.com/hello", "example.com/hello:1.0.0", hello.Id.ToString(), hello.Id.ToString()[..20] })
        {
            foreach (PullPolicy policy in new[] { PullPolicy.New, PullPolicy.Never })
            {
                FetchResult result = await scene.Fetcher().FetchAsync(reference, FetchScene.Options(policy));
                Assert.Equal((hello.Id, FetchOrigin.Store), (result.Image.Id, result.Origin));
            }
        }

        Assert.Equal(before, scene.Server.Requests.Count);
    }

    [Fact]
    public async Task Update_asks_whether_the_stored_copy_is_current()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage old = scene.Offer(TestImage.Make("example.com/hello"), etag: "\"one\"");
        Assert.Equal(FetchOrigin.Download, (await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options())).Origin);

        FetchResult same = await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options(PullPolicy.Update));
        Assert.Equal((old.Id, FetchOrigin.Cache), (same.Image.Id, same.Origin));
        Assert.Equal("\"one\"", scene.Server.Requests[^1].IfNoneMatch);

        TestImage changed = scene.Offer(TestImage.Make("example.com/hello", "version=1.1.0,os=linux,arch=amd64"), etag: "\"two\"");
        FetchResult updated = await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options(PullPolicy.Update));
        Assert.Equal((changed.Id, FetchOrigin.Download), (updated.Image.Id, updated.Origin));
        Assert.Equal(changed.Id, (await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options())).Image.Id);
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Update_asks_nothing_of_the_archive_while_the_server_called_it_fresh()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"), etag: "\"one\"", cacheControl: "max-age=60");
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow);
        ImageFetcher fetcher = scene.Fetcher(o => o.TimeProvider = time);
        await fetcher.FetchAsync("example.com/hello", FetchScene.Options());

        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(FetchOrigin.Cache, (await fetcher.FetchAsync("example.com/hello", FetchScene.Options(PullPolicy.Update))).Origin);
        Assert.Equal(1, scene.Downloads(hello));

        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(FetchOrigin.Cache, (await fetcher.FetchAsync("example.com/hello", FetchScene.Options(PullPolicy.Update))).Origin);
        Assert.Equal(2, scene.Downloads(hello));
        Assert.Equal("\"one\"", scene.Server.Requests[^1].IfNoneMatch);

        // The answer said again how long it stays fresh.
        time.Advance(TimeSpan.FromSeconds(59));
        await fetcher.FetchAsync("example.com/hello", FetchScene.Options(PullPolicy.Update));
        Assert.Equal(2, scene.Downloads(hello));
    }

    [Fact]
    public async Task Image_that_was_removed_from_the_store_is_downloaded_again_in_spite_of_the_cache()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"), etag: "\"one\"", cacheControl: "max-age=60");
        await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options());
        await scene.Store.RemoveAsync(hello.Id);

        FetchResult result = await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options(PullPolicy.Update));

        Assert.Equal((hello.Id, FetchOrigin.Download), (result.Image.Id, result.Origin));
        Assert.Null(scene.Server.Requests[^1].IfNoneMatch);
    }

    [Fact]
    public async Task Never_does_without_the_network()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Offer(TestImage.Make("example.com/hello"));

        foreach (string reference in new[] { "example.com/hello", "https://example.com/x.aci" })
        {
            FetchException e = await Assert.ThrowsAsync<FetchException>(() => scene.Fetcher().FetchAsync(reference, FetchScene.Options(PullPolicy.Never)));
            Assert.Equal(FetchFailure.NotInStore, e.Failure);
        }

        ImageException missing = await Assert.ThrowsAsync<ImageException>(() => scene.Fetcher().FetchAsync("sha512-0123", FetchScene.Options(PullPolicy.Never)));
        Assert.Equal(ImageFailure.NotFound, missing.Failure);
        Assert.Empty(scene.Server.Requests);
    }

    [Fact]
    public async Task Url_takes_the_signature_beside_it_and_is_remembered()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = TestImage.Make("example.com/hello");
        scene.Server.File("https://cdn.example.net/some.aci", hello.Archive, "\"e\"");
        scene.Server.File("https://cdn.example.net/some.aci.asc", hello.Signature);
        const string Reference = "https://cdn.example.net/some.aci?token=1";

        FetchResult first = await scene.Fetcher().FetchAsync(Reference, FetchScene.Options());
        FetchResult second = await scene.Fetcher().FetchAsync(Reference, FetchScene.Options());
        FetchResult third = await scene.Fetcher().FetchAsync(Reference, FetchScene.Options(PullPolicy.Update));

        Assert.Equal([FetchOrigin.Download, FetchOrigin.Store, FetchOrigin.Cache], new[] { first, second, third }.Select(r => r.Origin));
        Assert.Equal(hello.Id, third.Image.Id);
        Assert.Equal(
            ["https://cdn.example.net/some.aci.asc?token=1", "https://cdn.example.net/some.aci?token=1", "https://cdn.example.net/some.aci?token=1"],
            scene.Server.Urls);
    }

    [Fact]
    public async Task File_is_imported_with_the_signature_beside_it_or_the_one_that_is_named()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = TestImage.Make("example.com/hello");
        await File.WriteAllBytesAsync(scene.File("a.aci"), hello.Archive);
        TrustException unsigned = await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync(scene.File("a.aci"), FetchScene.Options()));
        Assert.Equal(TrustFailure.Unsigned, unsigned.Failure);

        await File.WriteAllBytesAsync(scene.File("other.sig"), hello.Signature);
        FetchOptions options = FetchScene.Options();
        options.SignaturePath = scene.File("other.sig");
        FetchResult named = await scene.Fetcher().FetchAsync(scene.File("a.aci"), options);
        await File.WriteAllBytesAsync(scene.File("a.aci.asc"), hello.Signature);
        FetchResult beside = await scene.Fetcher().FetchAsync("file://" + scene.File("a.aci"), FetchScene.Options(PullPolicy.Never));

        Assert.Equal((hello.Id, FetchOrigin.File), (named.Image.Id, named.Origin));
        Assert.Equal(hello.Id, beside.Image.Id);
        Assert.Empty(scene.Server.Requests);
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Named_signature_file_stands_for_the_one_of_the_server()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = TestImage.Make("example.com/hello");
        scene.Server.File(FetchScene.Url(hello), hello.Archive);
        await File.WriteAllBytesAsync(scene.File("my.asc"), hello.Signature);
        FetchOptions options = FetchScene.Options();
        options.SignaturePath = scene.File("my.asc");

        Assert.Equal(hello.Id, (await scene.Fetcher().FetchAsync("example.com/hello", options)).Image.Id);
        Assert.DoesNotContain(scene.Server.Urls, u => u.EndsWith(".asc", StringComparison.Ordinal));
        options.SignaturePath = scene.File("missing.asc");
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync("https://example.com/x.aci", options));
        Assert.Contains("missing.asc", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unsigned_image_is_refused_before_it_is_downloaded()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = TestImage.Make("example.com/hello");
        scene.Server.File(FetchScene.Url(hello), hello.Archive);

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options()));

        Assert.Equal(TrustFailure.Unsigned, e.Failure);
        Assert.Contains("example.com/hello", e.Message, StringComparison.Ordinal);
        Assert.Contains(FetchScene.Url(hello) + ".asc was answered 404", e.Message, StringComparison.Ordinal);
        Assert.Contains("ask the publisher", e.Hint, StringComparison.Ordinal);
        Assert.Equal(0, scene.Downloads(hello));
        Assert.Equal(0, await scene.CountImagesAsync());
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Key_for_another_name_is_refused_before_the_archive_is_downloaded()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"));
        scene.Server.File(FetchScene.Url(hello) + ".asc", HashVerifier.Sign(hello.Archive, "example.com/hell"));

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options()));

        Assert.Equal(TrustFailure.WrongPrefix, e.Failure);
        Assert.Equal(0, scene.Downloads(hello));
        Assert.Equal(0, await scene.CountImagesAsync());
    }

    [Fact]
    public async Task Bytes_that_were_not_signed_are_refused()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"));
        byte[] changed = [.. hello.Archive];
        changed[^1] ^= 1;
        scene.Server.File(FetchScene.Url(hello), changed);

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options()));

        Assert.Equal(TrustFailure.BadSignature, e.Failure);
        Assert.Equal(1, scene.Downloads(hello));
        Assert.Equal(0, await scene.CountImagesAsync());
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Signature_is_required_by_default_and_needs_a_verifier()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Offer(TestImage.Make("example.com/hello"));
        using var fetcher = new ImageFetcher(scene.Store, null, scene.Server.Options());

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => fetcher.FetchAsync("example.com/hello,arch=amd64"));

        Assert.Equal(TrustFailure.NoVerifier, e.Failure);
    }

    [Fact]
    public async Task Unchecked_image_is_marked_and_does_not_serve_where_a_signature_is_required()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"));
        FetchOptions insecure = FetchScene.Options();
        insecure.Trust = TrustPolicy.Insecure;

        FetchResult unchecked1 = await scene.Fetcher().FetchAsync("example.com/hello", insecure);
        Assert.True(unchecked1.Image.Provenance.Insecure);
        Assert.DoesNotContain(scene.Server.Urls, u => u.EndsWith(".asc", StringComparison.Ordinal));
        Assert.Equal(FetchOrigin.Store, (await scene.Fetcher().FetchAsync("example.com/hello", insecure)).Origin);

        foreach (string reference in new[] { "example.com/hello", hello.Id.ToString() })
        {
            TrustException e = await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync(reference, FetchScene.Options(PullPolicy.Never)));
            Assert.Equal(TrustFailure.Unsigned, e.Failure);
        }

        FetchResult checked1 = await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options());
        Assert.Equal((hello.Id, FetchOrigin.Download), (checked1.Image.Id, checked1.Origin));
        Assert.False(checked1.Image.Provenance.Insecure);
        Assert.Equal(FetchOrigin.Store, (await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options())).Origin);
    }

    [Theory]
    [InlineData("example.com/other", "version=1.0.0,os=linux,arch=amd64", "example.com/hello", "names example.com/other")]
    [InlineData("example.com/hello", "version=1.0.1,os=linux,arch=amd64", "example.com/hello:1.0.0", "version")]
    [InlineData("example.com/hello", "os=linux,arch=amd64", "example.com/hello:1.0.0", "no label version")]
    [InlineData("example.com/hello", "version=1.0.0,os=linux,arch=aarch64", "example.com/hello:1.0.0", "arch=aarch64")]
    [InlineData("example.com/hello", "version=1.0.0", "example.com/hello:1.0.0,os=linux", "no label os")]
    public async Task Another_image_than_the_one_asked_for_is_not_stored(string name, string labels, string reference, string why)
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage image = TestImage.Make(name, labels);
        string version = reference.Contains(':', StringComparison.Ordinal) ? "1.0.0" : "latest";
        scene.Server.File($"https://example.com/example.com/hello-{version}-linux-amd64.aci", image.Archive);
        scene.Server.File($"https://example.com/example.com/hello-{version}-linux-amd64.aci.asc", image.Signature);

        ImageException e = await Assert.ThrowsAsync<ImageException>(() => scene.Fetcher().FetchAsync(reference, FetchScene.Options()));

        Assert.Equal(ImageFailure.NameMismatch, e.Failure);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.Equal(0, await scene.CountImagesAsync());
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Image_without_a_platform_serves_every_platform_that_was_not_asked_for_in_words()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage image = scene.Offer(TestImage.Make("example.com/data", "version=1"));

        Assert.Equal(image.Id, (await scene.Fetcher().FetchAsync("example.com/data", FetchScene.Options())).Image.Id);
        Assert.Equal(FetchOrigin.Store, (await scene.Fetcher().FetchAsync("example.com/data", FetchScene.Options())).Origin);
    }

    [Fact]
    public async Task Stored_image_for_another_platform_does_not_serve()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Offer(TestImage.Make("example.com/hello", "version=1.0.0,os=linux,arch=aarch64"), arch: "aarch64");
        await scene.Fetcher().FetchAsync("example.com/hello,arch=aarch64", FetchScene.Options());

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options(PullPolicy.Never)));

        Assert.Equal(FetchFailure.NotInStore, e.Failure);
    }

    [Theory]
    [InlineData("example.com/hello,arch=arm64")]
    [InlineData("example.com/hello,os=windows")]
    [InlineData("example.com/hello,os=Linux")]
    public async Task Platform_that_the_specification_does_not_know_is_refused(string reference)
    {
        await using FetchScene scene = await FetchScene.CreateAsync();

        Assert.Equal(FetchFailure.BadReference, (await Assert.ThrowsAsync<FetchException>(() => scene.Fetcher().FetchAsync(reference, FetchScene.Options()))).Failure);
        Assert.Empty(scene.Server.Requests);
    }

    [Fact]
    public async Task Nothing_discovered_tells_what_was_tried()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Server.Page("https://example.com/", "<p>nothing</p>");

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => scene.Fetcher().FetchAsync("example.com/a/b", FetchScene.Options()));

        Assert.Equal(FetchFailure.DiscoveryFailed, e.Failure);
        Assert.Contains("https://example.com/a/b?ac-discovery=1: the server answered 404", e.Message, StringComparison.Ordinal);
        Assert.Contains("https://example.com?ac-discovery=1: the page has no discovery tags", e.Message, StringComparison.Ordinal);
        Assert.Equal(3, e.Discovery!.Tried.Count);
    }

    [Fact]
    public async Task Next_place_is_tried_where_one_does_not_deliver()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Server.Page("https://example.com/", FetchScene.Meta(
            "ftp://example.com/{name}.{ext}", "http://example.com/{name}.{ext}", "https://example.com/gone/{name}.{ext}", "https://cdn.example.net/{name}.{ext}"));
        TestImage hello = TestImage.Make("example.com/hello");
        scene.Server.File("https://cdn.example.net/example.com/hello.aci", hello.Archive);
        scene.Server.File("https://cdn.example.net/example.com/hello.aci.asc", hello.Signature);

        FetchResult result = await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options());

        Assert.Equal("https://cdn.example.net/example.com/hello.aci", result.Image.Provenance.Source);
        Assert.DoesNotContain(scene.Server.Urls, u => u.StartsWith("http:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Archive_behind_a_password_needs_credentials_for_its_host()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Server.Page("https://example.com/", FetchScene.Meta("https://cdn.example.net/private/{name}.{ext}"));
        TestImage hello = TestImage.Make("example.com/hello");
        foreach ((string extension, byte[] content) in new[] { ("aci", hello.Archive), ("aci.asc", hello.Signature) })
        {
            scene.Server.On($"https://cdn.example.net/private/example.com/hello.{extension}", async context =>
            {
                if (context.Request.Headers.Authorization != "Bearer t0ken")
                {
                    context.Response.StatusCode = 401;
                    context.Response.Headers.WWWAuthenticate = "Bearer";
                    return;
                }

                await context.Response.Body.WriteAsync(content);
            });
        }

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options()));
        Assert.Equal(401, e.StatusCode);
        Assert.Contains("credentials", e.Hint, StringComparison.Ordinal);

        ImageFetcher fetcher = scene.Fetcher(o =>
        {
            o.Credentials = new FetchCredentials();
            o.Credentials.AddBearer("cdn.example.net/private", "t0ken");
        });
        Assert.Equal(hello.Id, (await fetcher.FetchAsync("example.com/hello", FetchScene.Options())).Image.Id);
        Assert.All(scene.Server.Requests.Where(r => r.Url.StartsWith("https://example.com", StringComparison.Ordinal)), r => Assert.Null(r.Authorization));
    }

    [Fact]
    public async Task Record_that_is_damaged_or_cannot_be_written_costs_a_download_and_no_more()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello"), etag: "\"one\"");
        await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options());
        string records = Path.Combine(scene.Root, "remote");
        await File.WriteAllTextAsync(Assert.Single(Directory.GetFiles(records)), "{\"url\":");

        Assert.Equal(FetchOrigin.Download, (await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options(PullPolicy.Update))).Origin);
        Directory.Delete(records, recursive: true);
        await File.WriteAllTextAsync(records, "in the way");
        FetchResult result = await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options(PullPolicy.Update));

        Assert.Equal((hello.Id, FetchOrigin.Download), (result.Image.Id, result.Origin));
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Progress_shows_phases_and_bytes()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage hello = scene.Offer(TestImage.Make("example.com/hello", payload: 1 << 20));
        var seen = new List<FetchProgress>();

        await scene.Fetcher().FetchAsync("example.com/hello", FetchScene.Options(), new Recorder(seen));

        string[] phases = [.. seen.Select(p => p.Phase)];
        Assert.Equal(phases.Distinct(), new[] { "discovering", "signature", "downloading", "extracting", "publishing" }.Where(phases.Contains));
        Assert.Contains("discovering", phases);
        FetchProgress last = seen.Last(p => p.Phase == "downloading");
        Assert.Equal((hello.Archive.Length, (long?)hello.Archive.Length, FetchScene.Url(hello)), (last.Bytes, last.TotalBytes, last.Source));
        Assert.True(last.BytesPerSecond > 0);
    }

    private sealed class Recorder(List<FetchProgress> seen) : IProgress<FetchProgress>
    {
        public void Report(FetchProgress value)
        {
            lock (seen)
            {
                seen.Add(value);
            }
        }
    }
}
