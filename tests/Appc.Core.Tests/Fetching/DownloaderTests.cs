using System.Security.Cryptography;
using System.Text;
using Appc.Fetching;
using Appc.Trust;
using static Appc.Core.Tests.Fetching.RawServer;

namespace Appc.Core.Tests.Fetching;

/// <summary>Downloads from servers that do not keep their word.</summary>
public sealed class DownloaderTests : IDisposable
{
    private static readonly byte[] Bytes = RandomNumberGenerator.GetBytes(300_000);
    private readonly TempFolder _folder = new();
    private readonly HttpTransport _http = new(new ImageFetcherOptions { RetryDelay = TimeSpan.FromMilliseconds(1), MaxRetries = 2, IdleTimeout = TimeSpan.FromSeconds(20) });
    private readonly HashVerifier _verifier = new();

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Whole_answer_is_checked_and_kept_byte_for_byte()
    {
        await using var server = new RawServer((_, _) => Http($"200 OK\r\nContent-Length: {Bytes.Length}\r\nContent-Encoding: gzip", Bytes));
        var progress = new List<(long, long?)>();

        DownloadedArchive archive = await DownloadAsync(server, r => r with { Progress = (bytes, total) => progress.Add((bytes, total)) });

        Assert.Equal(Bytes, await File.ReadAllBytesAsync(archive.Path!));
        Assert.Equal(Bytes.Length, archive.Bytes);
        Assert.Equal("Tester", archive.Proof!.Verdict!.Signers[0].UserId);
        Assert.Equal((Bytes.Length, Bytes.Length), progress[^1]);
    }

    [Fact]
    public async Task Answer_without_a_length_ends_with_the_connection()
    {
        await using var server = new RawServer((_, _) => Http("200 OK", Bytes));

        Assert.Equal(Bytes.Length, (await DownloadAsync(server)).Bytes);
    }

    [Theory]
    [InlineData("Content-Length: 300001")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task Answer_that_is_cut_is_asked_for_again_and_then_told(string header)
    {
        byte[] body = header.StartsWith("Transfer", StringComparison.Ordinal) ? [.. "493E0\r\n"u8, .. Bytes[..1000]] : Bytes;
        await using var server = new RawServer((_, _) => Http($"200 OK\r\n{header}", body));

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => DownloadAsync(server));

        Assert.Equal(FetchFailure.Network, e.Failure);
        Assert.True(e.IsTransient);
        Assert.Contains("the connection ended before the answer did", e.Message, StringComparison.Ordinal);
        Assert.Equal(3, server.Requests.Count);
        Assert.DoesNotContain(server.Requests, r => r.Contains("Range:", StringComparison.OrdinalIgnoreCase));
        Assert.False(PartialFile.IsWorthKeeping(_folder.Path));
    }

    [Fact]
    public async Task Cut_answer_is_continued_where_the_server_can_tell_that_nothing_changed()
    {
        await using var server = new RawServer((number, _) => number switch
        {
            0 => Http($"200 OK\r\nETag: \"v1\"\r\nContent-Length: {Bytes.Length}", Bytes[..200_000]),
            1 => Http($"206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes 200000-299999/300000\r\nContent-Length: 100000", Bytes[200_000..250_000]),
            _ => Http($"206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes 250000-299999/300000\r\nContent-Length: 50000", Bytes[250_000..]),
        });

        DownloadedArchive archive = await DownloadAsync(server);

        Assert.Equal(Bytes, await File.ReadAllBytesAsync(archive.Path!));
        Assert.NotNull(archive.Proof?.Verdict);
        Assert.Equal(1, _verifier.Begun);
        Assert.Contains("Range: bytes=200000-\r\n", server.Requests[1], StringComparison.Ordinal);
        Assert.Contains("If-Range: \"v1\"\r\n", server.Requests[1], StringComparison.Ordinal);
        Assert.Contains("Range: bytes=250000-\r\n", server.Requests[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Part_of_an_earlier_call_is_continued_and_its_bytes_are_checked_too()
    {
        await using var first = new RawServer((_, _) => Http($"200 OK\r\nLast-Modified: Tue, 01 Sep 2026 10:00:00 GMT\r\nContent-Length: {Bytes.Length}", Bytes[..150_000]));
        using var impatient = new HttpTransport(new ImageFetcherOptions { MaxRetries = 0 });
        await Assert.ThrowsAsync<FetchException>(() => DownloadAsync(first, http: impatient));
        Assert.True(PartialFile.IsWorthKeeping(_folder.Path));

        await using var second = new RawServer((_, request) =>
        {
            Assert.Contains("Range: bytes=150000-\r\n", request, StringComparison.Ordinal);
            Assert.Contains("If-Range: Tue, 01 Sep 2026 10:00:00 GMT\r\n", request, StringComparison.Ordinal);
            return Http($"206 Partial Content\r\nContent-Range: bytes 150000-299999/300000\r\nContent-Length: 150000", Bytes[150_000..]);
        });
        RewriteNote(first.Url, second.Url);
        DownloadedArchive archive = await DownloadAsync(second);

        Assert.Equal(Bytes, await File.ReadAllBytesAsync(archive.Path!));
        Assert.Single(second.Requests);
    }

    [Fact]
    public async Task Part_that_was_whole_already_is_not_downloaded_again()
    {
        await using var first = new RawServer((_, _) => Http($"200 OK\r\nETag: \"v1\"\r\nContent-Length: {Bytes.Length + 1}", Bytes));
        using var impatient = new HttpTransport(new ImageFetcherOptions { MaxRetries = 0 });
        await Assert.ThrowsAsync<FetchException>(() => DownloadAsync(first, http: impatient));
        await using var second = new RawServer((_, _) => Http($"416 Range Not Satisfiable\r\nContent-Range: bytes */{Bytes.Length}\r\nContent-Length: 0", []));
        RewriteNote(first.Url, second.Url);

        DownloadedArchive archive = await DownloadAsync(second);

        Assert.Equal(Bytes, await File.ReadAllBytesAsync(archive.Path!));
        Assert.NotNull(archive.Proof?.Verdict);
        Assert.Equal("\"v1\"", archive.Validators.ETag);
        Assert.Single(second.Requests);
    }

    [Fact]
    public async Task Part_of_another_address_is_not_continued()
    {
        await using var first = new RawServer((_, _) => Http($"200 OK\r\nETag: \"v1\"\r\nContent-Length: {Bytes.Length}", Bytes[..1000]));
        using var impatient = new HttpTransport(new ImageFetcherOptions { MaxRetries = 0 });
        await Assert.ThrowsAsync<FetchException>(() => DownloadAsync(first, http: impatient));
        await using var second = new RawServer((_, _) => Http($"200 OK\r\nContent-Length: {Bytes.Length}", Bytes));

        Assert.Equal(Bytes.Length, (await DownloadAsync(second)).Bytes);
        Assert.DoesNotContain("Range:", second.Requests[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("206 Partial Content\r\nETag: \"v2\"\r\nContent-Range: bytes 1000-299999/300000")]
    [InlineData("206 Partial Content\r\nContent-Range: bytes 999-299999/300000")]
    [InlineData("206 Partial Content\r\nContent-Range: bytes 1000-1999/900")]
    [InlineData("206 Partial Content")]
    [InlineData("416 Range Not Satisfiable\r\nContent-Range: bytes */10")]
    public async Task Rest_that_does_not_fit_makes_the_download_start_anew(string rest)
    {
        await using var server = new RawServer((number, _) => number switch
        {
            0 => Http($"200 OK\r\nETag: \"v1\"\r\nContent-Length: {Bytes.Length}", Bytes[..1000]),
            1 => Http(rest, Bytes[1000..]),
            _ => Http($"200 OK\r\nETag: \"v2\"\r\nContent-Length: {Bytes.Length}", Bytes),
        });

        DownloadedArchive archive = await DownloadAsync(server);

        Assert.Equal(Bytes, await File.ReadAllBytesAsync(archive.Path!));
        Assert.Equal(3, server.Requests.Count);
        Assert.DoesNotContain("Range:", server.Requests[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_that_changed_between_two_parts_unnoticed_is_downloaded_anew_once_the_signature_tells()
    {
        byte[] other = RandomNumberGenerator.GetBytes(Bytes.Length);
        await using var server = new RawServer((number, _) => number switch
        {
            0 => Http($"200 OK\r\nETag: \"v1\"\r\nContent-Length: {Bytes.Length}", other[..1000]),
            1 => Http($"206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes 1000-299999/300000", Bytes[1000..]),
            _ => Http($"200 OK\r\nContent-Length: {Bytes.Length}", Bytes),
        });

        DownloadedArchive archive = await DownloadAsync(server);

        Assert.Equal(Bytes, await File.ReadAllBytesAsync(archive.Path!));
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task Bad_signature_of_a_download_in_one_piece_is_final()
    {
        await using var server = new RawServer((_, _) => Http($"200 OK\r\nETag: \"v1\"\r\nContent-Length: {Bytes.Length}", RandomNumberGenerator.GetBytes(Bytes.Length)));

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => DownloadAsync(server));

        Assert.Equal(TrustFailure.BadSignature, e.Failure);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Whole_answer_to_a_request_for_the_rest_replaces_the_part()
    {
        await using var server = new RawServer((number, _) => number == 0
            ? Http($"200 OK\r\nETag: \"v1\"\r\nContent-Length: {Bytes.Length}", RandomNumberGenerator.GetBytes(1000))
            : Http($"200 OK\r\nETag: \"v2\"\r\nContent-Length: {Bytes.Length}", Bytes));

        Assert.Equal(Bytes, await File.ReadAllBytesAsync((await DownloadAsync(server)).Path!));
        Assert.Equal(2, _verifier.Begun);
    }

    [Theory]
    [InlineData("Content-Length: 10000000000", "promises 10000000000 bytes")]
    [InlineData("X-Nothing: x", "sends without end")]
    public async Task More_than_the_limit_is_refused(string header, string why)
    {
        await using var server = new RawServer((_, _) => Http($"200 OK\r\n{header}", Bytes));

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => DownloadAsync(server, r => r with { MaxBytes = Bytes.Length - 1 }));

        Assert.Equal(FetchFailure.BadResponse, e.Failure);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("Content-Length: 300000", 299_999, "promises 300000 bytes, and the image must have 299999")]
    [InlineData("X-Nothing: x", 299_999, "sends without end")]
    [InlineData("X-Nothing: x", 300_001, "has 300000 bytes, and the image must have 300001")]
    public async Task Another_size_than_the_one_that_is_known_is_refused(string header, long expected, string why)
    {
        await using var server = new RawServer((_, _) => Http($"200 OK\r\n{header}", Bytes));

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => DownloadAsync(server, r => r with { ExpectedBytes = expected }));

        Assert.Equal(FetchFailure.BadResponse, e.Failure);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("201 Created")]
    [InlineData("204 No Content")]
    [InlineData("206 Partial Content")]
    [InlineData("304 Not Modified")]
    [InlineData("401 Unauthorized")]
    [InlineData("404 Not Found")]
    public async Task Other_statuses_are_faults(string status)
    {
        await using var server = new RawServer((_, _) => Http($"{status}\r\nContent-Length: 0", []));

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => DownloadAsync(server));

        Assert.Equal((FetchFailure.HttpStatus, int.Parse(status[..3], System.Globalization.CultureInfo.InvariantCulture)), (e.Failure, e.StatusCode!.Value));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Length_is_checked_whatever_sends_the_requests()
    {
        using var http = new HttpTransport(new ImageFetcherOptions { HttpHandler = new LyingHandler(), MaxRetries = 0 });
        var request = new DownloadRequest(new Uri("https://example.com/x.aci"), _folder.Path);

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => new Downloader(http).DownloadAsync(request, CancellationToken.None));

        Assert.Equal(FetchFailure.Network, e.Failure);
        Assert.Contains("ended after 300000 of 300001 bytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disk_that_fails_is_not_taken_for_the_network()
    {
        await using var server = new RawServer((_, _) => Http($"200 OK\r\nContent-Length: {Bytes.Length}", Bytes));

        Appc.Images.ImageException e = await Assert.ThrowsAsync<Appc.Images.ImageException>(
            () => DownloadAsync(server, r => r with { Directory = _folder.File("missing") }));

        Assert.Equal(Appc.Images.ImageFailure.Storage, e.Failure);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Nonsense_instead_of_http_is_a_fault_of_the_network()
    {
        await using var server = new RawServer((_, _) => Encoding.ASCII.GetBytes("SSH-2.0-OpenSSH\r\n\u001b[31m\r\n\r\n"));

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => DownloadAsync(server));

        Assert.Equal(FetchFailure.Network, e.Failure);
        Assert.DoesNotContain(e.Message, char.IsControl);
    }

    [Fact]
    public async Task Unchanged_copy_is_not_sent_and_no_signature_is_asked_for()
    {
        await using var server = new RawServer((_, _) => Http("304 Not Modified\r\nCache-Control: max-age=10", []));

        DownloadedArchive archive = await DownloadAsync(server, r => r with { Stored = new HttpValidators(null, "Tue, 01 Sep 2026 10:00:00 GMT", null) });

        Assert.Null(archive.Path);
        Assert.NotNull(archive.Validators.FreshUntil);
        Assert.Contains("If-Modified-Since: Tue, 01 Sep 2026 10:00:00 GMT\r\n", server.Requests[0], StringComparison.Ordinal);
        Assert.Equal(0, _verifier.Begun);
    }

    [Fact]
    public async Task Without_a_signature_to_check_there_is_no_verdict()
    {
        await using var server = new RawServer((_, _) => Http($"200 OK\r\nContent-Length: {Bytes.Length}", Bytes));

        Assert.Null((await DownloadAsync(server, r => r with { BeginCheck = null })).Proof);
    }

    [Theory]
    [InlineData("max-age=60", 60)]
    [InlineData("public, max-age=60\r\nAge: 20", 40)]
    [InlineData("max-age=60\r\nAge: 60", null)]
    [InlineData("no-cache, max-age=60", null)]
    [InlineData("no-store", null)]
    [InlineData("max-age=0", null)]
    public async Task Time_of_freshness_is_read(string header, int? seconds)
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(60));
        using var http = new HttpTransport(new ImageFetcherOptions { TimeProvider = time });
        await using var server = new RawServer((_, _) => Http($"200 OK\r\nCache-Control: {header}\r\nContent-Length: {Bytes.Length}", Bytes));

        DownloadedArchive archive = await DownloadAsync(server, http: http);

        Assert.Equal(seconds is { } s ? time.GetUtcNow().AddSeconds(s) : (DateTimeOffset?)null, archive.Validators.FreshUntil);
    }

    private sealed class LyingHandler : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var content = new ByteArrayContent(Bytes);
            content.Headers.ContentLength = Bytes.Length + 1;
            return Task.FromResult(new HttpResponseMessage { Content = content });
        }
    }

    private void RewriteNote(Uri from, Uri to)
    {
        string note = Path.Combine(_folder.Path, "archive.json");
        File.WriteAllText(note, File.ReadAllText(note).Replace(from.AbsoluteUri, to.AbsoluteUri, StringComparison.Ordinal));
    }

    private Task<DownloadedArchive> DownloadAsync(RawServer server, Func<DownloadRequest, DownloadRequest>? change = null, HttpTransport? http = null)
    {
        var request = new DownloadRequest(server.Url, _folder.Path)
        {
            AllowHttp = true,
            BeginCheck = async (_, token) => await _verifier.BeginAsync(new MemoryStream(HashVerifier.Sign(Bytes)), null, token),
        };
        return new Downloader(http ?? _http).DownloadAsync(change is null ? request : change(request), CancellationToken.None);
    }
}
