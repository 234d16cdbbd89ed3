using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>
/// A listening port of this process whose connections are carried to a port in a pod, until it is disposed or the pod ends.
/// Made by <see cref="Pod.ForwardPort"/>.
/// </summary>
public sealed class PodPortForward : IAsyncDisposable
{
    private const int BufferSize = 64 * 1024;

    private readonly Socket _listener;
    private readonly Func<CancellationToken, Task<Socket>> _connect;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<Task, bool> _connections = new();
    private readonly Task _accepting;

    internal PodPortForward(IPEndPoint at, string uuid, int port, Func<CancellationToken, Task<Socket>> connect, ILogger logger)
    {
        PodUuid = uuid;
        PodPort = port;
        _connect = connect;
        _logger = logger;
        _listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(at);
            _listener.Listen();
            EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        }
        catch (SocketException e)
        {
            _listener.Dispose();
            throw new PodException(PodFailure.HostUnsuitable, $"cannot listen at {at} for the pod {uuid}: {e.Message}", "give another address, or port 0 for one that is free", e);
        }

        _accepting = AcceptAsync();
    }

    /// <summary>Where this process listens.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>UUID of the pod.</summary>
    public string PodUuid { get; }

    /// <summary>The port in the pod.</summary>
    public int PodPort { get; }

    /// <summary>Listens no more and closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_connections.Keys).ConfigureAwait(false);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                Socket client = await _listener.AcceptAsync(_end.Token).ConfigureAwait(false);
                Task connection = ServeAsync(client);
                _connections[connection] = true;
                _ = connection.ContinueWith(c => _connections.TryRemove(c, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // A client that went away, or too many descriptors for the moment: others are served on.
                _logger.ForwardFailed(PodUuid, PodPort, e);
                await Task.Delay(10).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        // Not in the loop that accepts: connecting makes a process, and may take a while.
        await Task.Yield();
        using (client)
        {
            try
            {
                client.NoDelay = true;
                using Socket inside = await _connect(_end.Token).ConfigureAwait(false);
                await Task.WhenAll(CopyAsync(client, inside), CopyAsync(inside, client)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Either side may end a connection as it likes; the other is told by the end of its own.
            }
            catch (AppcException e)
            {
                _logger.ForwardFailed(PodUuid, PodPort, e);
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[BufferSize];
        try
        {
            int length;
            while ((length = await from.ReceiveAsync(buffer, _end.Token).ConfigureAwait(false)) > 0)
            {
                for (int sent = 0; sent < length;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, length - sent), _end.Token).ConfigureAwait(false);
                }
            }

            // One direction may end before the other.
            to.Shutdown(SocketShutdown.Send);
        }
        catch
        {
            from.Dispose();
            to.Dispose();
            throw;
        }
    }
}
