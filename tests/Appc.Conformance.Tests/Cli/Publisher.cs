using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Appc.Conformance.Tests.Cli;

/// <summary>A publisher's HTTPS server for names below <c>appc.test</c>, which can be told to misbehave.</summary>
public sealed class Publisher : IAsyncDisposable
{
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly WebApplication _app;
    private readonly string _authority;

    private Publisher(WebApplication app, string authority)
    {
        _app = app;
        _authority = authority;
    }

    /// <summary>Bytes after which an archive's download is cut; null for never.</summary>
    public int? CutAfter { get; set; }

    /// <summary>What a request must carry in Authorization; null for nothing.</summary>
    public string? Authorization { get; set; }

    /// <summary>The options that lead the program here.</summary>
    public string[] Options => ["--ca-file", _authority, "--connect-to", $"appc.test=127.0.0.1:{new Uri(_app.Urls.First()).Port}"];

    public static async Task<Publisher> StartAsync(World world)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=appc.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("appc.test");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        string authority = world.File_("authority.pem");
        await File.WriteAllTextAsync(authority, certificate.ExportCertificatePem());
        X509Certificate2 server = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(server)));
        WebApplication app = builder.Build();
        var publisher = new Publisher(app, authority);
        app.Run(publisher.AnswerAsync);
        await app.StartAsync();
        return publisher;
    }

    /// <summary>Offers an archive and its signature under a name; null takes the archive's file name.</summary>
    public async Task OfferAsync(string image, string? name = null)
    {
        string version = Path.GetFileNameWithoutExtension(image)[^5..];
        name ??= "appc.test/" + Path.GetFileNameWithoutExtension(image)[..^6];
        string path = $"/images/{name}-{version}-linux-{World.Architecture}.aci";
        _files[path] = await File.ReadAllBytesAsync(image);
        _files[path + ".asc"] = await File.ReadAllBytesAsync(image + ".asc");
    }

    public void OfferKey(string path) => _files["/pubkeys.gpg"] = File.ReadAllBytes(path);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        if (Authorization is not null && context.Request.Headers.Authorization != Authorization)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        }
        else if (context.Request.Query["ac-discovery"] == "1")
        {
            context.Response.ContentType = "text/html";
            await context.Response.WriteAsync(
                """
                <html><head>
                <meta name="ac-discovery" content="appc.test https://appc.test/images/{name}-{version}-{os}-{arch}.{ext}">
                <meta name="ac-discovery-pubkeys" content="appc.test https://appc.test/pubkeys.gpg">
                </head></html>
                """);
        }
        else if (!_files.TryGetValue(context.Request.Path.Value ?? string.Empty, out byte[]? content))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }
        else
        {
            context.Response.ContentLength = content.Length;
            if (CutAfter is { } bytes && context.Request.Path.Value!.EndsWith(".aci", StringComparison.Ordinal))
            {
                await context.Response.Body.WriteAsync(content.AsMemory(0, bytes));
                await context.Response.Body.FlushAsync();
                context.Abort();
            }
            else
            {
                await context.Response.Body.WriteAsync(content);
            }
        }
    }
}
