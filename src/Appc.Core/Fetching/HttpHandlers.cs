using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Appc.Fetching;

/// <summary>Makes the built-in HTTP handler from the options.</summary>
internal static class HttpHandlers
{
    public static SocketsHttpHandler Create(ImageFetcherOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            // Redirects are followed by our own rules, and the bytes that were signed are the bytes as they are sent.
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxConnectionsPerServer = Math.Max(2, options.MaxParallelDownloads * 2),
        };
        Dictionary<string, (string? Host, int? Port)> connectTo = ReadConnectTo(options.ConnectTo);
        IWebProxy proxy = options.Proxy ?? HttpClient.DefaultProxy;
        handler.Proxy = connectTo.Count == 0 ? proxy : new BypassingProxy(proxy, connectTo);
        if (connectTo.Count > 0)
        {
            handler.ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, connectTo, cancellationToken);
        }

        if (options.AllowInvalidTls)
        {
#pragma warning disable CA5359 // The caller asked for exactly this, and it is logged.
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else
        {
            handler.SslOptions.CertificateChainPolicy = ReadAuthorities(options);
        }

        return handler;
    }

    private static X509ChainPolicy? ReadAuthorities(ImageFetcherOptions options)
    {
        var own = new X509Certificate2Collection();
        own.AddRange(options.CertificateAuthorities);
        if (options.CertificateAuthorityFile is { } file)
        {
            try
            {
                own.ImportFromPemFile(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
            {
                throw new FetchException(FetchFailure.Configuration, $"cannot read the certificate authorities in {DisplayText.Clean(file)}: {DisplayText.Clean(e.Message)}", innerException: e);
            }

            if (own.Count == options.CertificateAuthorities.Count)
            {
                throw new FetchException(FetchFailure.Configuration, $"{DisplayText.Clean(file)} holds no certificate", "it must be a PEM file (-----BEGIN CERTIFICATE-----)");
            }
        }

        if (own.Count == 0)
        {
            return null;
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(own);
        using var system = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
        policy.CustomTrustStore.AddRange(system.Certificates);
        return policy;
    }

    private static Dictionary<string, (string? Host, int? Port)> ReadConnectTo(IDictionary<string, string> entries)
    {
        var result = new Dictionary<string, (string?, int?)>(StringComparer.OrdinalIgnoreCase);
        foreach ((string from, string to) in entries)
        {
            (string? toHost, int? toPort) = Split(to);
            if (Split(from).Host is null || (toHost is null && toPort is null))
            {
                throw new FetchException(
                    FetchFailure.Configuration, $"'{DisplayText.Clean(from)}={DisplayText.Clean(to)}' does not say where to connect",
                    "write HOST[:PORT]=HOST[:PORT], such as example.com=127.0.0.1:8443");
            }

            result[from] = (toHost, toPort);
        }

        return result;
    }

    private static (string? Host, int? Port) Split(string text)
    {
        // [::1]:443 and ::1 keep their colons; in host:port the last colon is the one.
        int colon = text.LastIndexOf(':');
        bool hasPort = colon >= 0 && (text.IndexOf(':', StringComparison.Ordinal) == colon || text[colon - 1] == ']');
        string host = (hasPort ? text[..colon] : text).Trim('[', ']');
        int port = 0;
        if (hasPort && (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is 0 or > 65535))
        {
            return (null, null);
        }

        return (host.Length == 0 ? null : host, hasPort ? port : null);
    }

    private static bool TryFind(Dictionary<string, (string? Host, int? Port)> connectTo, string host, int port, out (string? Host, int? Port) target)
    {
        host = host.Trim('[', ']');
        string bracketed = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        return connectTo.TryGetValue(string.Create(CultureInfo.InvariantCulture, $"{bracketed}:{port}"), out target)
            || connectTo.TryGetValue(host, out target);
    }

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint wanted, Dictionary<string, (string? Host, int? Port)> connectTo, CancellationToken cancellationToken)
    {
        DnsEndPoint target = TryFind(connectTo, wanted.Host, wanted.Port, out (string? Host, int? Port) other)
            ? new DnsEndPoint(other.Host ?? wanted.Host, other.Port ?? wanted.Port)
            : wanted;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(target, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Keeps requests whose connection is given by hand away from the proxy, which would resolve the name itself.</summary>
    private sealed class BypassingProxy(IWebProxy inner, Dictionary<string, (string? Host, int? Port)> connectTo) : IWebProxy
    {
        public ICredentials? Credentials
        {
            get => inner.Credentials;
            set => inner.Credentials = value;
        }

        public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : inner.GetProxy(destination);

        public bool IsBypassed(Uri host) => TryFind(connectTo, host.IdnHost, host.Port, out _) || inner.IsBypassed(host);
    }
}
