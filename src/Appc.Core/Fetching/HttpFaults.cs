using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Appc.Fetching;

/// <summary>Turns what the HTTP client throws into one clear error.</summary>
internal static class HttpFaults
{
    /// <summary>Whether an exception is the network's fault rather than the caller's wish to stop.</summary>
    public static bool IsNetwork(Exception e, CancellationToken cancellationToken) =>
        e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    public static FetchException Wrap(Exception e, Uri url, TimeSpan timeout)
    {
        string shown = DisplayText.Clean(url);
        string host = DisplayText.Clean(url.Authority);
        if (e is OperationCanceledException)
        {
            return new FetchException(FetchFailure.Network, string.Create(CultureInfo.InvariantCulture, $"{shown}: the server sent nothing for {timeout.TotalSeconds:0.###} s"), innerException: e);
        }

        if (Find<AuthenticationException>(e) is { } tls)
        {
            return new FetchException(
                FetchFailure.Network, $"{shown}: TLS with {host} failed: {DisplayText.Clean(tls.Message)}",
                "if the server's certificate comes from an authority of your own, name that authority's certificate file", e, permanent: true);
        }

        if (Find<SocketException>(e) is { } socket)
        {
            bool permanent = socket.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData;
            return new FetchException(FetchFailure.Network, $"{shown}: cannot reach {host}: {DisplayText.Clean(socket.Message)}", null, e, permanent)
            {
                Refused = socket.SocketErrorCode == SocketError.ConnectionRefused,
            };
        }

        string why = e is HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } or HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }
            ? "the connection ended before the answer did"
            : DisplayText.Clean((e.InnerException ?? e).Message);
        return new FetchException(FetchFailure.Network, $"{shown}: {why}", innerException: e);
    }

    public static FetchException Status(Uri url, HttpResponseMessage response, TimeProvider time)
    {
        int status = (int)response.StatusCode;
        string? hint = status switch
        {
            401 or 403 => "check the credentials for this host (auth.d)",
            404 => "check the name, version and labels",
            429 => "the server asks to be called less often",
            _ => null,
        };
        TimeSpan? retryAfter = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow() is { Ticks: > 0 } wait ? wait : TimeSpan.Zero,
            _ => null,
        };
        return new FetchException(FetchFailure.HttpStatus, string.Create(CultureInfo.InvariantCulture, $"{DisplayText.Clean(url)}: the server answered {status}{Reason(status)}"), hint)
        {
            StatusCode = status,
            RetryAfter = retryAfter,
        };
    }

    public static FetchException Bad(Uri url, string what, string? hint = null) => new(FetchFailure.BadResponse, $"{DisplayText.Clean(url)}: {what}", hint);

    // The server's own reason phrase is not shown: it may say anything.
    private static string Reason(int status) => Enum.IsDefined((System.Net.HttpStatusCode)status) ? $" ({(System.Net.HttpStatusCode)status})" : "";

    private static T? Find<T>(Exception? e)
        where T : Exception
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is T found)
            {
                return found;
            }
        }

        return null;
    }
}
