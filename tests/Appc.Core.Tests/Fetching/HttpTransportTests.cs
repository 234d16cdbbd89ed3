using System.Net;
using System.Net.Sockets;
using System.Text;
using Appc.Fetching;
using Microsoft.AspNetCore.Http;

namespace Appc.Core.Tests.Fetching;

public sealed class HttpTransportTests
{
    private const int Max = 1000;

    [Fact]
    public async Task Host_is_reached_where_the_options_say_and_its_certificate_is_checked_by_name()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Page("https://example.com/x", "hello");
        using var http = new HttpTransport(server.Options());

        Assert.Equal("hello", await GetAsync(http, "https://example.com/x"));
        Assert.Equal("identity", server.Requests[0].AcceptEncoding);
    }

    [Fact]
    public async Task Certificate_of_an_unknown_authority_is_refused_at_once()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        ImageFetcherOptions options = server.Options();
        options.CertificateAuthorities.Clear();
        using var http = new HttpTransport(options);

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, "https://example.com/x"));

        Assert.Equal(FetchFailure.Network, e.Failure);
        Assert.False(e.IsTransient);
        Assert.Contains("TLS with example.com failed", e.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Certificate_for_another_name_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        ImageFetcherOptions options = server.Options();
        options.ConnectTo["other.example.net"] = $"127.0.0.1:{server.HttpsPort}";
        using var http = new HttpTransport(options);

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, "https://other.example.net/x"));

        Assert.Contains("TLS with other.example.net failed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unchecked_certificates_are_an_explicit_choice()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Page("https://example.com/x", "hello");
        ImageFetcherOptions options = server.Options();
        options.CertificateAuthorities.Clear();
        options.AllowInvalidTls = true;
        using var http = new HttpTransport(options);

        Assert.Equal("hello", await GetAsync(http, "https://example.com/x"));
    }

    [Fact]
    public async Task Authority_can_come_from_a_file()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        using var folder = new TempFolder();
        server.Page("https://example.com/x", "hello");
        ImageFetcherOptions options = server.Options();
        options.CertificateAuthorities.Clear();
        options.CertificateAuthorityFile = folder.File("ca.pem");
        await File.WriteAllTextAsync(options.CertificateAuthorityFile, server.Authority.ExportCertificatePem());
        using (var http = new HttpTransport(options))
        {
            Assert.Equal("hello", await GetAsync(http, "https://example.com/x"));
        }

        await File.WriteAllTextAsync(options.CertificateAuthorityFile, "no certificate");
        Assert.Equal(FetchFailure.Configuration, Assert.Throws<FetchException>(() => new HttpTransport(options)).Failure);
        options.CertificateAuthorityFile = folder.File("missing.pem");
        Assert.Contains("missing.pem", Assert.Throws<FetchException>(() => new HttpTransport(options)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("example.com", "")]
    [InlineData("example.com", "127.0.0.1:x")]
    [InlineData("example.com", "127.0.0.1:70000")]
    [InlineData("", "127.0.0.1:1")]
    public void Connection_that_cannot_be_understood_is_refused(string from, string to)
    {
        var options = new ImageFetcherOptions();
        options.ConnectTo[from] = to;

        Assert.Equal(FetchFailure.Configuration, Assert.Throws<FetchException>(() => new HttpTransport(options)).Failure);
    }

    [Fact]
    public async Task Plain_http_needs_permission()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Page("http://example.com/x", "plain");
        using var http = new HttpTransport(server.Options());

        Assert.Equal(FetchFailure.NotAllowed, (await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, "http://example.com/x"))).Failure);
        Assert.Empty(server.Requests);
        Assert.Equal("plain", await GetAsync(http, "http://example.com/x", allowHttp: true));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Redirects_are_followed(int status)
    {
        await using TestServer server = await TestServer.StartAsync("example.com", "cdn.example.net");
        server.Redirect("https://example.com/a", "/b?x=y", status);
        server.Redirect("https://example.com/b", "https://cdn.example.net/c", status);
        server.Page("https://cdn.example.net/c", "there");
        using var http = new HttpTransport(server.Options());

        Assert.Equal("there", await GetAsync(http, "https://example.com/a"));
        Assert.Equal(["https://example.com/a", "https://example.com/b?x=y", "https://cdn.example.net/c"], server.Urls);
    }

    [Theory]
    [InlineData("http://example.com/x", "from https to plain http")]
    [InlineData("ftp://example.com/x", "the scheme 'ftp'")]
    [InlineData("file:///etc/passwd", "the scheme 'file'")]
    [InlineData("https://user:secret@example.com/x", "a user name")]
    public async Task Forbidden_redirects_are_refused_even_where_http_is_allowed(string location, string why)
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Redirect("https://example.com/a", location);
        using var http = new HttpTransport(server.Options());

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, "https://example.com/a", allowHttp: true));

        Assert.Equal(FetchFailure.BadResponse, e.Failure);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Endless_redirect_ends_after_ten_requests()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Redirect("https://example.com/a", "https://example.com/a");
        using var http = new HttpTransport(server.Options());

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, "https://example.com/a"));

        Assert.Equal(FetchFailure.BadResponse, e.Failure);
        Assert.Equal(10, server.Requests.Count);
    }

    [Fact]
    public async Task Credentials_go_to_their_host_and_path_over_https_only_and_follow_no_redirect_elsewhere()
    {
        await using TestServer server = await TestServer.StartAsync("example.com", "cdn.example.net");
        server.Redirect("https://example.com/private/a", "https://example.com/private/b");
        server.Redirect("https://example.com/private/b", "https://cdn.example.net/c");
        server.Redirect("https://cdn.example.net/c", "https://example.com/private/d");
        server.Page("https://example.com/private/d", "there");
        server.Page("https://example.com/public", "public");
        server.Page("http://example.com/private/e", "plain");
        ImageFetcherOptions options = server.Options();
        options.Credentials = new FetchCredentials();
        options.Credentials.AddBasic("example.com/private", "me", "secret");
        options.Credentials.AddBearer("cdn.example.net", "token");
        using var http = new HttpTransport(options);

        await GetAsync(http, "https://example.com/private/a");
        await GetAsync(http, "https://example.com/public");
        await GetAsync(http, "http://example.com/private/e", allowHttp: true);
        string basic = "Basic " + Convert.ToBase64String("me:secret"u8);

        // Once the chain has left the host, nothing is sent any more: neither there nor after a way back.
        Assert.Equal([basic, basic, null, null, null, null], server.Requests.Select(r => r.Authorization));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task Passing_faults_are_tried_again(int status)
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        int calls = 0;
        server.On("https://example.com/x", context =>
        {
            context.Response.StatusCode = ++calls < 3 ? status : 200;
            return context.Response.WriteAsync("there");
        });
        using var http = new HttpTransport(server.Options());

        Assert.Equal("there", await http.RetryAsync(_ => GetAsync(http, "https://example.com/x"), CancellationToken.None));
        Assert.Equal(3, calls);
    }

    [Theory]
    [InlineData(404, 1)]
    [InlineData(401, 1)]
    [InlineData(503, 3)]
    public async Task Lasting_faults_end_with_the_status(int status, int calls)
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.On("https://example.com/x", context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        using var http = new HttpTransport(server.Options());

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => http.RetryAsync(_ => GetAsync(http, "https://example.com/x"), CancellationToken.None));

        Assert.Equal((FetchFailure.HttpStatus, status), (e.Failure, e.StatusCode));
        Assert.Equal(calls, server.Requests.Count);
    }

    [Fact]
    public async Task Server_that_asks_for_a_short_wait_gets_it_and_one_that_asks_for_a_long_one_is_given_up()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        int calls = 0;
        server.On("https://example.com/short", context =>
        {
            context.Response.StatusCode = ++calls == 1 ? 503 : 200;
            context.Response.Headers.RetryAfter = "1";
            return context.Response.WriteAsync("there");
        });
        server.On("https://example.com/long", context =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = "3600";
            return Task.CompletedTask;
        });
        var waited = new TaskCompletionSource();
        ImageFetcherOptions options = server.Options();
        options.LoggerFactory = new SignalLogger("https://example.com/short: the server answered 503 (ServiceUnavailable); trying again in 1.0 s", waited);
        using var http = new HttpTransport(options);

        Assert.Equal("there", await http.RetryAsync(_ => GetAsync(http, "https://example.com/short"), CancellationToken.None));
        Assert.True(waited.Task.IsCompletedSuccessfully);
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => http.RetryAsync(_ => GetAsync(http, "https://example.com/long"), CancellationToken.None));
        Assert.Equal(TimeSpan.FromHours(1), e.RetryAfter);
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task Long_documents_are_refused_whether_announced_or_not()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.File("https://example.com/announced", new byte[Max + 1]);
        server.On("https://example.com/endless", async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(new byte[4096], context.RequestAborted);
            }
        });
        server.File("https://example.com/exact", Encoding.UTF8.GetBytes(new string('x', Max)));
        using var http = new HttpTransport(server.Options());

        foreach (string path in new[] { "announced", "endless" })
        {
            FetchException e = await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, $"https://example.com/{path}"));
            Assert.Equal(FetchFailure.BadResponse, e.Failure);
            Assert.Contains("longer than 1000 bytes", e.Message, StringComparison.Ordinal);
        }

        Assert.Equal(Max, (await GetAsync(http, "https://example.com/exact")).Length);
    }

    [Fact]
    public async Task Compressed_document_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.On("https://example.com/x", context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            return context.Response.WriteAsync("x");
        });
        using var http = new HttpTransport(server.Options());

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, "https://example.com/x"));
        Assert.Contains("content encoding 'gzip'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silent_and_dripping_servers_run_into_the_limits_of_time()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.On("https://example.com/silent", context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        server.On("https://example.com/stalls", async context =>
        {
            await context.Response.WriteAsync("x");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        server.On("https://example.com/drips", async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync("x");
                await context.Response.Body.FlushAsync();
                await Task.Delay(20, context.RequestAborted);
            }
        });
        ImageFetcherOptions options = server.Options();
        options.IdleTimeout = TimeSpan.FromMilliseconds(300);
        using var impatient = new HttpTransport(options);
        ImageFetcherOptions patient = server.Options();
        patient.DocumentTimeout = TimeSpan.FromMilliseconds(900);
        using var bounded = new HttpTransport(patient);

        foreach ((HttpTransport http, string path, string why) in new[]
        {
            (impatient, "silent", "sent nothing for 0.3 s"),
            (impatient, "stalls", "sent nothing for 0.3 s"),
            (bounded, "drips", "not read to its end within 0.9 s"),
        })
        {
            FetchException e = await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, $"https://example.com/{path}"));
            Assert.Equal(FetchFailure.Network, e.Failure);
            Assert.Contains(why, e.Message, StringComparison.Ordinal);
            Assert.True(e.IsTransient);
        }
    }

    [Fact]
    public async Task Cancellation_is_not_taken_for_a_fault()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        using var stop = new CancellationTokenSource();
        server.On("https://example.com/x", async context =>
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var http = new HttpTransport(server.Options());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => http.RetryAsync(token => http.GetDocumentAsync(new HttpAsk(new Uri("https://example.com/x")), Max, token), stop.Token));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Server_that_is_being_started_or_hangs_up_is_asked_again()
    {
        // A port that is free now, and where somebody listens after the first refusal.
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        var options = new ImageFetcherOptions { RetryDelay = TimeSpan.FromMilliseconds(20), MaxRetries = 8 };
        var refused = new TaskCompletionSource();
        options.LoggerFactory = new SignalLogger($"http://127.0.0.1:{port}/x: cannot reach 127.0.0.1:{port}", refused);
        using var http = new HttpTransport(options);
        Task<string> get = http.RetryAsync(_ => GetAsync(http, $"http://127.0.0.1:{port}/x", allowHttp: true), CancellationToken.None);
        await refused.Task;
        socket.Listen();
        using (Socket first = await socket.AcceptAsync())
        {
            // Closed with a reset, in the middle of everything.
            await first.ReceiveAsync(new byte[1]);
            first.LingerState = new LingerOption(true, 0);
        }

        using Socket second = await socket.AcceptAsync();
        await second.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere"u8.ToArray());
        Assert.Equal("there", await get);
    }

    [Fact]
    public async Task Refusals_are_repeated_a_bounded_number_of_times_and_once_a_walk_of_discovery()
    {
        ImageFetcherOptions options = new() { RetryDelay = TimeSpan.FromMilliseconds(1), MaxRetries = 2 };
        var log = new CountingLogger("https://example.com/");
        options.LoggerFactory = log;
        options.ConnectTo["example.com"] = "127.0.0.1:1";
        using var http = new HttpTransport(options);
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => http.RetryAsync(_ => GetAsync(http, "https://example.com/x"), CancellationToken.None));
        Assert.True(e.IsTransient);
        Assert.Equal(2, log.Count);

        using var discovery = new ImageDiscovery(options);
        DiscoveryResult result = await discovery.DiscoverAsync("example.com/a/b/c");
        Assert.Equal(4, result.Tried.Count);
        Assert.Equal(4, log.Count);
        await discovery.DiscoverAsync("example.com/a", new DiscoveryOptions { AllowHttp = true });
        Assert.Equal(4, log.Count);
    }

    [Fact]
    public async Task Host_that_does_not_exist_and_one_that_refuses_are_told_apart()
    {
        var options = new ImageFetcherOptions();
        options.ConnectTo["refuses.example.com"] = "127.0.0.1:1";
        using var http = new HttpTransport(options);

        FetchException refused = await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, "https://refuses.example.com/x"));
        Assert.True(refused.IsTransient);
        Assert.Contains("cannot reach refuses.example.com", refused.Message, StringComparison.Ordinal);
        FetchException missing = await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, "https://does-not-exist.invalid/x"));
        Assert.Equal(FetchFailure.Network, missing.Failure);
        Assert.Contains("does-not-exist.invalid", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxy_is_used_save_for_hosts_with_a_connection_of_their_own()
    {
        await using TestServer server = await TestServer.StartAsync("example.com");
        server.Page("https://example.com/x", "direct");
        ImageFetcherOptions options = server.Options();
        options.Proxy = new WebProxy("http://127.0.0.1:1");
        using var http = new HttpTransport(options);

        Assert.Equal("direct", await GetAsync(http, "https://example.com/x"));
        await Assert.ThrowsAsync<FetchException>(() => GetAsync(http, "https://elsewhere.example.com/x"));
    }

    private static async Task<string> GetAsync(HttpTransport http, string url, bool allowHttp = false) =>
        Encoding.UTF8.GetString(await http.GetDocumentAsync(new HttpAsk(new Uri(url)) { AllowHttp = allowHttp }, Max, CancellationToken.None));
}
