using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Appc.Fetching;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Appc.Core.Tests.Fetching;

/// <summary>A web server on the loopback that stands for several hosts, over https and, on another port, plain http.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, RequestDelegate> _handlers = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Seen> _seen = new();
    private readonly TestAuthority _authority = new();
    private readonly string[] _hosts;
    private WebApplication? _app;

    private TestServer(string[] hosts) => _hosts = hosts;

    /// <summary>A request that arrived.</summary>
    public sealed record Seen(string Url, string? Authorization, string? Range, string? IfRange, string? IfNoneMatch, string? AcceptEncoding);

    public int HttpsPort { get; private set; }

    public int HttpPort { get; private set; }

    public X509Certificate2 Authority => _authority.Certificate;

    public IReadOnlyList<Seen> Requests => [.. _seen];

    public IEnumerable<string> Urls => _seen.Select(s => s.Url);

    public static async Task<TestServer> StartAsync(params string[] hosts)
    {
        var server = new TestServer(hosts.Length == 0 ? ["example.com"] : hosts);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        X509Certificate2 certificate = server._authority.Issue(server._hosts);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate));
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        server._app = builder.Build();
        server._app.Run(server.HandleAsync);
        await server._app.StartAsync();
        string[] addresses = [.. server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];
        server.HttpsPort = new Uri(addresses.Single(a => a.StartsWith("https:", StringComparison.Ordinal))).Port;
        server.HttpPort = new Uri(addresses.Single(a => a.StartsWith("http:", StringComparison.Ordinal))).Port;
        return server;
    }

    /// <summary>Options of a client that reaches this server under its hosts' names, trusts its authority, and does not wait long.</summary>
    public ImageFetcherOptions Options()
    {
        var options = new ImageFetcherOptions { RetryDelay = TimeSpan.FromMilliseconds(1), MaxRetries = 2 };
        options.CertificateAuthorities.Add(Authority);
        foreach (string host in _hosts)
        {
            options.ConnectTo[$"{host}:443"] = $"127.0.0.1:{HttpsPort}";
            options.ConnectTo[$"{host}:80"] = $"127.0.0.1:{HttpPort}";
        }

        return options;
    }

    /// <summary>Answers a URL (without query) by a handler.</summary>
    public void On(string url, RequestDelegate handler) => _handlers[url] = handler;

    /// <summary>Answers a URL (without query) with bytes, and ranges of them where asked.</summary>
    public void File(string url, byte[] bytes, string? etag = null, string? cacheControl = null) => On(url, async context =>
    {
        if (cacheControl is not null)
        {
            context.Response.Headers.CacheControl = cacheControl;
        }

        await Results.Bytes(
            bytes, "application/octet-stream", entityTag: etag is null ? null : new Microsoft.Net.Http.Headers.EntityTagHeaderValue(etag), enableRangeProcessing: etag is not null).ExecuteAsync(context);
    });

    public void Page(string url, string html) => On(url, context => context.Response.WriteAsync(html));

    public void Redirect(string url, string location, int status = 302) => On(url, context =>
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = location;
        return Task.CompletedTask;
    });

    public async ValueTask DisposeAsync()
    {
        await _app!.DisposeAsync();
        _authority.Dispose();
    }

    private Task HandleAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        string url = $"{request.Scheme}://{request.Host}{request.Path}";
        _seen.Enqueue(new Seen(
            url + request.QueryString, Header("Authorization"), Header("Range"), Header("If-Range"), Header("If-None-Match"), Header("Accept-Encoding")));
        if (_handlers.TryGetValue(url, out RequestDelegate? handler))
        {
            return handler(context);
        }

        context.Response.StatusCode = 404;
        return Task.CompletedTask;

        string? Header(string name) => request.Headers[name] is { Count: > 0 } values ? values.ToString() : null;
    }
}
