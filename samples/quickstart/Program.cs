// The web server of a publisher of images: HTTPS, static files, and for image discovery a page of meta tags.
//   quickstart DIRECTORY CERTIFICATE.pem KEY.pem PORT-FILE
// Listens on a free port of the loopback address, and writes its number to PORT-FILE.
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.FileProviders;

string directory = Path.GetFullPath(args[0]);
string portFile = args[3];
using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(args[1], args[2]);

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseKestrelHttpsConfiguration();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(pem)));
await using WebApplication app = builder.Build();

app.Use(async (context, next) =>
{
    string asked = $"{context.Request.Method} https://{context.Request.Host.Host}{context.Request.Path}{context.Request.QueryString}";
    await next();
    Console.WriteLine($"{asked} {context.Response.StatusCode}");
});
app.Use((context, next) =>
{
    if (context.Request.Query["ac-discovery"] == "1")
    {
        context.Request.Path = "/discovery.html";
    }

    return next();
});
app.UseStaticFiles(new StaticFileOptions
{
    FileProvider = new PhysicalFileProvider(directory),
    ServeUnknownFileTypes = true,
});

await app.StartAsync();
string address = app.Urls.First();
File.WriteAllText(portFile + ".new", new Uri(address).Port.ToString(CultureInfo.InvariantCulture));
File.Move(portFile + ".new", portFile, overwrite: true);
await app.WaitForShutdownAsync();
