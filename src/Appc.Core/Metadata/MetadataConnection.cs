using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Appc.Metadata;

/// <summary>
/// One connection of a pod: HTTP/1.1, one request after another. Whoever is at the other end may be hostile: nothing is kept for
/// him that has no bound, and nothing takes longer than it may.
/// </summary>
internal sealed class MetadataConnection(Socket socket, MetadataServiceOptions options, TimeProvider time, Func<MetadataRequest, MetadataResponse> answer)
{
    private byte[] _buffer = new byte[HttpHead.MaxBytes];
    private int _length;

    /// <summary>Serves until the other side has enough, is too slow, or says something that is no request.</summary>
    /// <exception cref="SocketException">The connection is lost.</exception>
    /// <exception cref="OperationCanceledException">The service ends, or the other side is too slow.</exception>
    public async Task ServeAsync(CancellationToken cancellationToken)
    {
        socket.NoDelay = true;
        while (true)
        {
            using CancellationTokenSource patience = new(options.Timeout, time);
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
            int head = await ReadHeadAsync(limit.Token).ConfigureAwait(false);
            if (head == 0)
            {
                return;
            }

            if (head < 0)
            {
                await RefuseAsync(MetadataResponse.Refuse(HttpStatusCode.RequestHeaderFieldsTooLarge, "the request is too long"), limit.Token).ConfigureAwait(false);
                return;
            }

            HttpHead? request = HttpHead.TryRead(_buffer.AsSpan(0, head), out MetadataResponse refusal);
            if (request is not null && request.BodyLength > options.MaxFormBytes)
            {
                request = null;
                refusal = MetadataResponse.Refuse(HttpStatusCode.RequestEntityTooLarge, string.Create(CultureInfo.InvariantCulture, $"the body may have {options.MaxFormBytes} bytes"));
            }

            if (request is null)
            {
                await RefuseAsync(refusal, limit.Token).ConfigureAwait(false);
                return;
            }

            byte[]? body = await ReadBodyAsync(request, head, limit.Token).ConfigureAwait(false);
            if (body is null)
            {
                return;
            }

            await WriteAsync(answer(new MetadataRequest(request.Method, request.Path, request.ContentType, body)), request.Method != "HEAD", request.KeepAlive, limit.Token).ConfigureAwait(false);
            if (!request.KeepAlive)
            {
                socket.Shutdown(SocketShutdown.Send);
                return;
            }
        }
    }

    /// <summary>How many bytes the next head has; 0 if the other side ends before, -1 if it is too long.</summary>
    private async Task<int> ReadHeadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (HttpHead.FindEnd(_buffer.AsSpan(0, _length)) is >= 0 and int end)
            {
                return end;
            }

            if (_length == _buffer.Length)
            {
                return -1;
            }

            int received = await socket.ReceiveAsync(_buffer.AsMemory(_length), cancellationToken).ConfigureAwait(false);
            if (received == 0)
            {
                return 0;
            }

            _length += received;
        }
    }

    /// <summary>The body; null if the other side ends before.</summary>
    private async Task<byte[]?> ReadBodyAsync(HttpHead request, int head, CancellationToken cancellationToken)
    {
        if (request.ExpectsContinue && request.BodyLength > 0)
        {
            await SendAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        }

        byte[] body = request.BodyLength == 0 ? [] : new byte[request.BodyLength];
        int done = Math.Min(body.Length, _length - head);
        _buffer.AsSpan(head, done).CopyTo(body);

        // What follows is the next request.
        _buffer.AsSpan(head + done, _length - head - done).CopyTo(_buffer);
        _length -= head + done;
        while (done < body.Length)
        {
            int received = await socket.ReceiveAsync(body.AsMemory(done), cancellationToken).ConfigureAwait(false);
            if (received == 0)
            {
                return null;
            }

            done += received;
        }

        return body;
    }

    private async Task RefuseAsync(MetadataResponse response, CancellationToken cancellationToken)
    {
        await WriteAsync(response, withBody: true, keepAlive: false, cancellationToken).ConfigureAwait(false);
        socket.Shutdown(SocketShutdown.Send);

        // A connection that is closed with bytes unread is reset, and the answer may be lost.
        _buffer = new byte[HttpHead.MaxBytes];
        for (int left = options.MaxFormBytes; left > 0;)
        {
            int received = await socket.ReceiveAsync(_buffer, cancellationToken).ConfigureAwait(false);
            left = received == 0 ? 0 : left - received;
        }
    }

    private async Task WriteAsync(MetadataResponse response, bool withBody, bool keepAlive, CancellationToken cancellationToken)
    {
        StringBuilder head = new();
        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {(int)response.Status} {response.Status}\r\n")
            .Append(CultureInfo.InvariantCulture, $"Content-Type: {response.ContentType}\r\n")
            .Append(CultureInfo.InvariantCulture, $"Content-Length: {response.Body.Length}\r\n")
            .Append("Cache-Control: no-store\r\n");
        if (response.Allow is { } allowed)
        {
            head.Append(CultureInfo.InvariantCulture, $"Allow: {allowed}\r\n");
        }

        head.Append(keepAlive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
        byte[] text = Encoding.ASCII.GetBytes(head.ToString());
        await SendAsync(withBody ? [.. text, .. response.Body] : text, cancellationToken).ConfigureAwait(false);
    }

    private async Task SendAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await socket.SendAsync(bytes.AsMemory(sent), cancellationToken).ConfigureAwait(false);
        }
    }
}
