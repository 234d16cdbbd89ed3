using Appc.Fetching;
using Appc.Images;
using Appc.Trust;
using Microsoft.AspNetCore.Http;

namespace Appc.Core.Tests.Fetching;

/// <summary>
/// Servers that misbehave, seen from a whole fetch: each ends in one clear error or in success; the next call against
/// the same server, well again, brings the right image; and then nothing is left of the first.
/// </summary>
public sealed class MisbehavingServerTests
{
    private const string Name = "example.com/hello";

    [Theory]
    [InlineData("silent", FetchFailure.Network, "nothing for")]
    [InlineData("silent in the middle", FetchFailure.Network, "nothing for")]
    [InlineData("trickling", FetchFailure.Network, "bytes")]
    [InlineData("cut in the middle", FetchFailure.Network, "")]
    [InlineData("shorter than promised", FetchFailure.Network, "")]
    [InlineData("promising 10 GB", FetchFailure.BadResponse, "promises 10737418240 bytes, more than the limit")]
    [InlineData("sending without end", FetchFailure.BadResponse, "without end")]
    [InlineData("asking for a password", FetchFailure.HttpStatus, "401")]
    [InlineData("redirecting in a loop", FetchFailure.BadResponse, "redirected after")]
    [InlineData("redirecting to http", FetchFailure.BadResponse, "from https to plain http")]
    [InlineData("busy", FetchFailure.HttpStatus, "503")]
    public async Task Faulty_archive_ends_in_one_error_and_is_had_by_the_next_call(string fault, FetchFailure failure, string why)
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage image = scene.Offer(TestImage.Make(Name, payload: 400_000), etag: "\"1\"");
        string url = FetchScene.Url(image);
        scene.Server.On(url, context => MisbehaveAsync(fault, url, image.Archive, context));
        FetchOptions options = FetchScene.Options();
        options.DownloadBytes = 1 << 20;
        options.AllowHttp = true;

        ImageFetcher fetcher = scene.Fetcher(o => (o.IdleTimeout, o.MinimumSpeed, o.MaxRetries) = (TimeSpan.FromMilliseconds(400), 100_000, 1));
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => fetcher.FetchAsync(Name, options));
        Assert.Equal(failure, e.Failure);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.Equal(0, await scene.CountImagesAsync());

        await AssertRecoversAsync(scene, image);
    }

    [Theory]
    [InlineData("longer than promised", TrustFailure.BadSignature)]
    [InlineData("another file", TrustFailure.BadSignature)]
    public async Task Other_bytes_than_were_signed_are_refused_and_the_right_ones_had_by_the_next_call(string fault, TrustFailure failure)
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage image = scene.Offer(TestImage.Make(Name), etag: "\"1\"");
        string url = FetchScene.Url(image);
        scene.Server.On(url, context => MisbehaveAsync(fault, url, image.Archive, context));
        Assert.Equal(failure, (await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync(Name, FetchScene.Options()))).Failure);
        await AssertRecoversAsync(scene, image);
    }

    [Theory]
    [InlineData("changed between ranges")]
    [InlineData("claiming gzip")]
    [InlineData("cut once")]
    [InlineData("busy once")]
    public async Task Faults_that_can_be_made_up_for_end_in_success(string fault)
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage image = scene.Offer(TestImage.Make(Name, payload: 400_000), etag: "\"1\"");
        string url = FetchScene.Url(image);
        int calls = 0;
        scene.Server.On(url, context => MisbehaveAsync(fault, url, image.Archive, context, calls++));
        Assert.Equal(image.Id, (await scene.Fetcher().FetchAsync(Name, FetchScene.Options())).Image.Id);
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Hostile_page_and_a_certificate_for_another_name_lead_nowhere()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage image = scene.Offer(TestImage.Make(Name));
        const string Good = "<meta name=ac-discovery content='example.com https://example.com/{name}-{version}-{os}-{arch}.{ext}'>";
        foreach (string hostile in (string[])[
            $"<!-- {Good} --><script>document.write(\"{Good}\")</script><style>{Good}</style>",
            "<meta name=ac-discovery content='example.com file:///etc/{name}.{ext}'><meta name=ac-discovery content='example.com https://user:pass@example.com/{name}.{ext}'>",
            new string('<', 900_000),
        ])
        {
            scene.Server.Page("https://example.com/", hostile);
            await Assert.ThrowsAsync<FetchException>(() => scene.Fetcher().FetchAsync(Name, FetchScene.Options()));
        }

        ImageFetcher elsewhere = scene.Fetcher(o => o.ConnectTo["evil.example.org:443"] = o.ConnectTo["example.com:443"]);
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => elsewhere.FetchAsync("https://evil.example.org/x.aci", FetchScene.Options()));
        Assert.Contains("TLS with evil.example.org failed", e.Message, StringComparison.Ordinal);
        Assert.Equal(0, await scene.CountImagesAsync());
        scene.Server.Page("https://example.com/", FetchScene.Meta("https://example.com/{name}-{version}-{os}-{arch}.{ext}"));
        await AssertRecoversAsync(scene, image);
    }

    private static async Task AssertRecoversAsync(FetchScene scene, TestImage image)
    {
        scene.Offer(image, etag: "\"1\"");
        Assert.Equal(image.Id, (await scene.Fetcher().FetchAsync(Name, FetchScene.Options())).Image.Id);
        Assert.Equal(1, await scene.CountImagesAsync());
        Assert.Empty(scene.Leftovers);
    }

    private static async Task MisbehaveAsync(string fault, string url, byte[] archive, HttpContext context, int call = 0)
    {
        HttpResponse response = context.Response;
        response.Headers.ETag = "\"1\"";
        switch (fault)
        {
            case "silent":
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
                break;
            case "silent in the middle":
                response.ContentLength = archive.Length;
                await response.Body.WriteAsync(archive.AsMemory(0, archive.Length / 2));
                await response.Body.FlushAsync();
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
                break;
            case "trickling":
                response.ContentLength = archive.Length;
                foreach (byte b in archive)
                {
                    await response.Body.WriteAsync((byte[])[b]);
                    await response.Body.FlushAsync();
                    await Task.Delay(20, context.RequestAborted);
                }

                break;
            case "cut in the middle":
            case "cut once" when call == 0:
            case "changed between ranges" when call == 0:
                response.ContentLength = archive.Length;
                await response.Body.WriteAsync(archive.AsMemory(0, archive.Length / 2));
                await response.Body.FlushAsync();
                context.Abort();
                break;
            case "changed between ranges" when context.Request.Headers.Range.Count > 0:
                await Results.Bytes(
                    [.. archive.Select(b => (byte)~b)], entityTag: new Microsoft.Net.Http.Headers.EntityTagHeaderValue("\"1\""), enableRangeProcessing: true).ExecuteAsync(context);
                break;
            case "shorter than promised":
                response.ContentLength = archive.Length + 10;
                await response.Body.WriteAsync(archive);
                break;
            case "longer than promised":
                response.ContentLength = archive.Length - 10;
                await response.Body.WriteAsync(archive.AsMemory(0, archive.Length - 10));
                break;
            case "another file":
                await response.Body.WriteAsync(new byte[1000]);
                break;
            case "promising 10 GB":
                response.ContentLength = 10L << 30;
                await response.Body.WriteAsync(archive);
                context.Abort();
                break;
            case "sending without end":
                while (!context.RequestAborted.IsCancellationRequested)
                {
                    await response.Body.WriteAsync(archive);
                }

                break;
            case "asking for a password":
                response.StatusCode = 401;
                response.Headers.WWWAuthenticate = "Basic realm=\"x\"";
                break;
            case "redirecting in a loop":
                response.Redirect(url);
                break;
            case "redirecting to http":
                response.Redirect(url.Replace("https:", "http:", StringComparison.Ordinal));
                break;
            case "busy":
            case "busy once" when call == 0:
                response.StatusCode = 503;
                break;
            case "claiming gzip":
                response.Headers.ContentEncoding = "gzip";
                await response.Body.WriteAsync(archive);
                break;
            default:
                await response.Body.WriteAsync(archive);
                break;
        }
    }
}
