using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Appc.Conformance.Tests.Fetching;

/// <summary>A server of appc.test that sends one archive in small pieces, and any rest of it that is asked for.</summary>
internal sealed class SlowServer : IAsyncDisposable
{
    private const int Piece = 64 * 1024;
    private readonly WebApplication _app;
    private readonly string _authority;
    private int _continued;
    private int _pieces;

    private SlowServer(WebApplication app, string authority)
    {
        _app = app;
        _authority = authority;
    }

    public byte[] Archive { get; set; } = [];

    public byte[] Signature { get; set; } = [];

    /// <summary>The wait after each piece.</summary>
    public TimeSpan Pause { get; set; }

    /// <summary>Number of requests for a rest.</summary>
    public int Continued => _continued;

    /// <summary>Number of pieces that were sent, over all requests.</summary>
    public int Pieces => Volatile.Read(ref _pieces);

    public string[] Options => ["--ca-file", _authority, "--connect-to", $"appc.test=127.0.0.1:{new Uri(_app.Urls.First()).Port}"];

    public static async Task<SlowServer> StartAsync(string authorityFile)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=appc.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("appc.test");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        await File.WriteAllTextAsync(authorityFile, certificate.ExportCertificatePem());
        X509Certificate2 withKey = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        // Empty: the usual builders watch configuration files, and inotify instances are scarce where many pods run.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(withKey)));
        WebApplication app = builder.Build();
        var server = new SlowServer(app, authorityFile);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value ?? "";
        if (context.Request.Query.ContainsKey("ac-discovery"))
        {
            await context.Response.WriteAsync("<meta name=ac-discovery content='appc.test https://appc.test/image.{ext}'>");
        }
        else if (path.EndsWith(".asc", StringComparison.Ordinal))
        {
            await context.Response.Body.WriteAsync(Signature);
        }
        else
        {
            int start = 0;
            if (context.Request.Headers.Range is [{ } range] && context.Request.Headers.IfRange == "\"one\"")
            {
                start = int.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture);
                context.Response.StatusCode = StatusCodes.Status206PartialContent;
                context.Response.Headers.ContentRange = $"bytes {start}-{Archive.Length - 1}/{Archive.Length}";
                Interlocked.Increment(ref _continued);
            }

            context.Response.Headers.ETag = "\"one\"";
            context.Response.ContentLength = Archive.Length - start;
            for (; start < Archive.Length; start += Piece)
            {
                await context.Response.Body.WriteAsync(Archive.AsMemory(start, Math.Min(Piece, Archive.Length - start)), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                Interlocked.Increment(ref _pieces);
                await Task.Delay(Pause, context.RequestAborted);
            }
        }
    }
}
