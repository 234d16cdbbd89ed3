using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Appc.Fetching;

/// <summary>How discovery and the fetcher work: connections, certificates, credentials, limits of time.</summary>
public sealed class ImageFetcherOptions
{
    /// <summary>
    /// Sends all requests in place of the built-in handler; the caller keeps it and disposes of it. It must neither
    /// follow redirects nor decompress. The options on connections, certificates and proxies have no effect on it.
    /// </summary>
    /// <value>The default value is null: a handler made from the other options.</value>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Whether server certificates stay unchecked. Insecure; logged as a warning.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool AllowInvalidTls { get; set; }

    /// <summary>A PEM file of certificate authorities to trust for servers, besides the system's.</summary>
    /// <value>The default value is null.</value>
    public string? CertificateAuthorityFile { get; set; }

    /// <summary>Certificate authorities to trust for servers, besides the system's.</summary>
    public X509Certificate2Collection CertificateAuthorities { get; } = [];

    /// <summary>
    /// Where to connect instead of a host: keys are <c>host</c> or <c>host:port</c> of a URL, values <c>host:port</c>
    /// or <c>host</c> (which keeps the port). Names and certificates are still checked against the URL. For mirrors, tests and hosts
    /// without DNS.
    /// </summary>
    public IDictionary<string, string> ConnectTo { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The proxy for all requests, save those of <see cref="ConnectTo"/>.</summary>
    /// <value>The default value is null: the environment's (<c>https_proxy</c>, <c>http_proxy</c>, <c>no_proxy</c>).</value>
    public IWebProxy? Proxy { get; set; }

    /// <summary>User names, passwords and tokens by host.</summary>
    /// <value>The default value is null: requests carry no credentials.</value>
    public FetchCredentials? Credentials { get; set; }

    /// <summary>Longest time that making a connection may take.</summary>
    /// <value>The default value is 20 seconds.</value>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Longest time without a byte from the server, headers included.</summary>
    /// <value>The default value is 60 seconds.</value>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Slowest speed of a download, in bytes a second, looked at over each <see cref="IdleTimeout"/>; 0 for no limit. It ends
    /// transfers that trickle for ever.
    /// </summary>
    /// <value>The default value is 256.</value>
    public int MinimumSpeed { get; set; } = 256;

    /// <summary>Longest time for a small document (discovery page, signature) as a whole.</summary>
    /// <value>The default value is 2 minutes.</value>
    public TimeSpan DocumentTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Largest number of requests for one address in a chain of redirects; the last must bring an answer.</summary>
    /// <value>The default value is 10.</value>
    public int MaxRedirects { get; set; } = 10;

    /// <summary>How often a request that failed for a passing reason is made again.</summary>
    /// <value>The default value is 3.</value>
    public int MaxRetries { get; set; } = 3;

    /// <summary>The wait before the first repetition; it doubles with each further one, and is spread at random.</summary>
    /// <value>The default value is half a second.</value>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest wait before a repetition. A server that asks for a longer one (Retry-After) makes the fetch fail.</summary>
    /// <value>The default value is 30 seconds.</value>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Largest number of images that are downloaded at the same time.</summary>
    /// <value>The default value is 4.</value>
    public int MaxParallelDownloads { get; set; } = 4;

    /// <summary>What requests carry in User-Agent.</summary>
    /// <value>The default value is <c>appc-dotnet</c>.</value>
    public string UserAgent { get; set; } = "appc-dotnet";

    /// <summary>Where log messages go.</summary>
    /// <value>The default value is null: nowhere.</value>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
