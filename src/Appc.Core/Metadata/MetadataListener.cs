using System.Net.Sockets;

namespace Appc.Metadata;

/// <summary>A listening socket and what is connected to it.</summary>
internal sealed class MetadataListener : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly Func<Socket, CancellationToken, Task> _serve;
    private readonly SemaphoreSlim _room;
    private readonly int _most;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;

    /// <summary>Begins to serve.</summary>
    /// <param name="socket">The socket, which is listening; closed with this.</param>
    /// <param name="most">How many connections there may be at once; others wait in the socket's queue.</param>
    /// <param name="serve">Serves one connection, which is closed afterwards.</param>
    public MetadataListener(Socket socket, int most, Func<Socket, CancellationToken, Task> serve)
    {
        _socket = socket;
        _most = most;
        _serve = serve;
        _room = new SemaphoreSlim(most);
        _accepting = AcceptAsync();
    }

    /// <summary>Closes the socket and all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _accepting.ConfigureAwait(false);
        for (int i = 0; i < _most; i++)
        {
            await _room.WaitAsync().ConfigureAwait(false);
        }

        _room.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            bool taken = false;
            try
            {
                await _room.WaitAsync(_end.Token).ConfigureAwait(false);
                taken = true;
                Socket client = await _socket.AcceptAsync(_end.Token).ConfigureAwait(false);
                taken = false;
                _ = ServeAsync(client);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // A client that went away, or too many descriptors for the moment: others are served on.
                await Task.Delay(10).ConfigureAwait(false);
            }
            finally
            {
                if (taken)
                {
                    _room.Release();
                }
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        await Task.Yield();
        try
        {
            await _serve(client, _end.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Either side may end a connection as it likes.
        }
        finally
        {
            client.Dispose();
            _room.Release();
        }
    }
}
