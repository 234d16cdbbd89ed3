using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Appc.Cli.CommandLine;

namespace Appc.Cli;

/// <summary>Makes the HTTP handler that <c>--ca-file</c> and <c>--connect-to</c> ask for.</summary>
internal static class HttpHandlers
{
    /// <summary>The handler; null where the library's own serves.</summary>
    public static HttpMessageHandler? Create(GlobalOptions options)
    {
        if (options.CaFile is null && options.ConnectTo.Count == 0)
        {
            return null;
        }

        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (options.CaFile is { } file)
        {
            handler.SslOptions.CertificateChainPolicy = TrustOnly(file);
        }

        if (options.Insecure.HasFlag(InsecureOptions.Tls))
        {
#pragma warning disable CA5359 // Asked for by name, and warned about.
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }

        if (options.ConnectTo.Count > 0)
        {
            var map = options.ConnectTo.Select(ParseMapping).ToDictionary(m => m.From, m => m.To);
            handler.ConnectCallback = (context, cancellationToken) =>
                ConnectAsync(map.GetValueOrDefault(context.DnsEndPoint, context.DnsEndPoint), cancellationToken);
        }

        return handler;
    }

    private static X509ChainPolicy TrustOnly(string file)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(file);
        }
        catch (System.Security.Cryptography.CryptographicException exception)
        {
            throw new AppcException($"{file}: not a file of PEM certificates", null, exception);
        }

        return policy.CustomTrustStore.Count > 0 ? policy : throw new AppcException($"{file}: holds no PEM certificate");
    }

    private static (DnsEndPoint From, DnsEndPoint To) ParseMapping(string text)
    {
        string[] parts = text.Split(':');
        return parts.Length == 4 && Port(parts[1]) is { } from && Port(parts[3]) is { } to
            ? (new DnsEndPoint(parts[0], from), new DnsEndPoint(parts[2], to))
            : throw new UsageException($"--connect-to: '{text}' is not of the form HOST:PORT:TO-HOST:TO-PORT");

        static int? Port(string text) =>
            ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && port > 0 ? port : null;
    }

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint to, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
