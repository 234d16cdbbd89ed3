using Appc.Fetching;
using Microsoft.AspNetCore.Http;

namespace Appc.Core.Tests.Fetching;

/// <summary>Discovery over real connections; what it makes of pages is in the conformance tests.</summary>
public sealed class ImageDiscoveryTests
{
    private const string Page = """
        <meta name="ac-discovery" content="example.com https://example.com/{name}-{version}-{os}-{arch}.{ext}">
        <meta name="ac-discovery" content="example.com/other https://example.com/other.{ext}">
        <meta name="ac-discovery" content="example.com https://example.com/{flavor}/{name}.{ext}">
        <meta name="ac-discovery-pubkeys" content="example.com https://example.com/keys.asc">
        """;

    [Fact]
    public async Task Every_request_and_every_tag_is_told()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Redirect("https://example.com/a/b", "/gone");
        server.Page("https://example.com/a", "<p>no tags</p>");
        server.Page("https://example.com/", Page);
        using var discovery = new ImageDiscovery(server.Options());

        DiscoveryResult result = await discovery.DiscoverAsync("example.com/a/b:1.0", new DiscoveryOptions { Os = "linux", Arch = "aarch64" });

        Assert.Equal(
            new DiscoveredImage(
                "https://example.com/example.com/a/b-1.0-linux-aarch64.aci",
                "https://example.com/example.com/a/b-1.0-linux-aarch64.aci.asc",
                "https://example.com/{name}-{version}-{os}-{arch}.{ext}"),
            Assert.Single(result.Images));
        Assert.Equal(["https://example.com/keys.asc"], result.PublicKeys);
        Assert.Equal(
            [
                ("https://example.com/a/b?ac-discovery=1", (int?)302, DiscoveryOutcome.Redirected),
                ("https://example.com/gone", 404, DiscoveryOutcome.HttpStatus),
                ("https://example.com/a?ac-discovery=1", 200, DiscoveryOutcome.NoTags),
                ("https://example.com?ac-discovery=1", 200, DiscoveryOutcome.Found),
            ],
            result.Tried.Select(t => (t.Url, t.Status, t.Outcome)));
        Assert.Equal(
            [null, "its prefix is for other names", "it asks for {flavor}, which the image reference does not give", null],
            result.Tried[^1].Tags.Select(t => t.Skipped));
    }

    [Fact]
    public async Task Platform_is_the_hosts_where_none_is_given()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Page("https://example.com/", Page);
        using var discovery = new ImageDiscovery(server.Options());

        DiscoveryResult host = await discovery.DiscoverAsync("example.com/a");
        DiscoveryResult none = await discovery.DiscoverAsync("example.com/a", new DiscoveryOptions { DefaultPlatform = false, PublicKeys = false });

        Assert.Contains($"latest-{HostPlatform.Default.Os}-{HostPlatform.Default.Arch}.aci", host.Images[0].Aci, StringComparison.Ordinal);
        Assert.Empty(none.Images);
        Assert.Equal(DiscoveryOutcome.NoUsableTag, none.Tried[^1].Outcome);
    }

    [Fact]
    public async Task Hostile_pages_are_passed_over()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.On("https://example.com/a/b/c/d", async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync("<meta name=ac-discovery content='example.com https://evil.example/{name}.{ext}'>", context.RequestAborted);
            }
        });
        server.Redirect("https://example.com/a/b/c", "http://example.com/plain");
        server.Redirect("https://example.com/a/b", "https://example.com/a/b");
        server.On("https://example.com/a", context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        server.Page("https://example.com/", Page);
        using var discovery = new ImageDiscovery(server.Options());

        DiscoveryResult result = await discovery.DiscoverAsync("example.com/a/b/c/d", new DiscoveryOptions { PublicKeys = false });

        Assert.StartsWith("https://example.com/example.com/a/b/c/d-latest", Assert.Single(result.Images).Aci, StringComparison.Ordinal);
        Assert.Equal(DiscoveryOutcome.BadResponse, result.Tried[0].Outcome);
        Assert.Contains("longer than 1048576 bytes", result.Tried[0].Detail, StringComparison.Ordinal);
        Assert.Equal((302, DiscoveryOutcome.BadResponse), (result.Tried[1].Status, result.Tried[1].Outcome));
        Assert.Contains("plain http", result.Tried[1].Detail, StringComparison.Ordinal);
        Assert.Equal(10, result.Tried.Count(t => t.Url == "https://example.com/a/b?ac-discovery=1" || t.Url == "https://example.com/a/b"));
        Assert.Equal(DiscoveryOutcome.Unreachable, result.Tried[^2].Outcome);
        Assert.Equal(DiscoveryOutcome.Found, result.Tried[^1].Outcome);
    }

    [Fact]
    public async Task Plain_http_is_asked_only_where_it_is_allowed_and_after_https()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Page("http://example.com/a", Page);
        using var discovery = new ImageDiscovery(server.Options());

        Assert.Empty((await discovery.DiscoverAsync("example.com/a")).Images);
        Assert.DoesNotContain(server.Urls, u => u.StartsWith("http:", StringComparison.Ordinal));
        DiscoveryResult result = await discovery.DiscoverAsync("example.com/a", new DiscoveryOptions { AllowHttp = true });
        Assert.Equal(["https://example.com/a?ac-discovery=1", "http://example.com/a?ac-discovery=1"], result.Tried.Select(t => t.Url));
        Assert.Single(result.Images);
    }

    [Fact]
    public async Task Address_of_simple_discovery_comes_first_where_it_is_asked_for()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Page("https://example.com/", Page);
        using var discovery = new ImageDiscovery(server.Options());

        DiscoveryResult result = await discovery.DiscoverAsync("example.com/a:1", new DiscoveryOptions { SimpleDiscovery = true, Os = "linux", Arch = "amd64" });

        Assert.Equal(["https://example.com/a-1-linux-amd64.aci", "https://example.com/example.com/a-1-linux-amd64.aci"], result.Images.Select(i => i.Aci));
    }

    [Fact]
    public async Task Keys_are_downloaded_by_the_same_rules()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Page("https://example.com/keys", "keys");
        server.Page("http://example.com/keys", "plain keys");
        server.File("https://example.com/large", new byte[20 << 20]);
        using var discovery = new ImageDiscovery(server.Options());

        Assert.Equal("keys"u8.ToArray(), await discovery.DownloadKeysAsync("https://example.com/keys"));
        Assert.Equal("plain keys"u8.ToArray(), await discovery.DownloadKeysAsync("http://example.com/keys", allowHttp: true));
        foreach ((string url, FetchFailure failure) in new[]
        {
            ("http://example.com/keys", FetchFailure.NotAllowed),
            ("https://me:secret@example.com/keys", FetchFailure.NotAllowed),
            ("file:///etc/passwd", FetchFailure.NotAllowed),
            ("https://example.com/large", FetchFailure.BadResponse),
            ("https://example.com/missing", FetchFailure.HttpStatus),
            ("keys", FetchFailure.BadReference),
        })
        {
            FetchException e = await Assert.ThrowsAsync<FetchException>(() => discovery.DownloadKeysAsync(url));
            Assert.Equal(failure, e.Failure);
            Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("https://example.com/x.aci")]
    [InlineData("/x.aci")]
    [InlineData("sha512-ab")]
    public async Task Only_names_are_discovered(string reference)
    {
        using var discovery = new ImageDiscovery();

        Assert.Equal(FetchFailure.BadReference, (await Assert.ThrowsAsync<FetchException>(() => discovery.DiscoverAsync(reference))).Failure);
    }

    [Fact]
    public async Task Cancellation_ends_the_walk()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        using var stop = new CancellationTokenSource();
        server.On("https://example.com/a", async context =>
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var discovery = new ImageDiscovery(server.Options());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => discovery.DiscoverAsync("example.com/a", null, stop.Token));
        Assert.Single(server.Requests);
    }
}
