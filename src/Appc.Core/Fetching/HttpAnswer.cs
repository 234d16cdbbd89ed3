using System.Net;

namespace Appc.Fetching;

/// <summary>A server's answer whose body is yet to be read, under a limit of time between bytes.</summary>
internal sealed class HttpAnswer(HttpResponseMessage response, Uri url, Stream body, TimeSpan idleTimeout, TimeProvider time) : IDisposable
{
    private readonly CancellationTokenSource _idle = new(Timeout.InfiniteTimeSpan, time);

    /// <summary>Where the answer came from, after redirects.</summary>
    public Uri Url { get; } = url;

    public HttpResponseMessage Message => response;

    public HttpStatusCode Status => response.StatusCode;

    /// <summary>Number of bytes that the server promises; null if it does not say.</summary>
    public long? Length => response.Content.Headers.ContentLength;

    /// <summary>Reads some bytes of the body; 0 at its end.</summary>
    /// <exception cref="FetchException">The connection failed, or nothing came for too long.</exception>
    public async Task<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _idle.Token);
        _idle.CancelAfter(idleTimeout);
        try
        {
            int count = await body.ReadAsync(buffer, both.Token).ConfigureAwait(false);
            _idle.CancelAfter(Timeout.InfiniteTimeSpan);
            return count;
        }
        catch (Exception e) when (HttpFaults.IsNetwork(e, cancellationToken))
        {
            throw HttpFaults.Wrap(e, Url, idleTimeout);
        }
    }

    public void Dispose()
    {
        body.Dispose();
        response.Dispose();
        _idle.Dispose();
    }
}
