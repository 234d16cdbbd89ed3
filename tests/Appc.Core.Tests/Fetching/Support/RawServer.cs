using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Appc.Core.Tests.Fetching;

/// <summary>A server of plain http that says, byte for byte, what a test wants, and then hangs up.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _requests = [];
    private readonly Func<int, string, byte[]> _answer;
    private readonly Task _loop;

    /// <summary>Starts; the answer is made from the number of the request, from 0, and its text.</summary>
    public RawServer(Func<int, string, byte[]> answer)
    {
        _answer = answer;
        _listener.Start();
        _loop = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Url => new($"http://127.0.0.1:{Port}/image.aci");

    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    public static byte[] Http(string head, byte[] body) => [.. Encoding.ASCII.GetBytes($"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n"), .. body];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await ServeAsync(client.GetStream());
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(NetworkStream stream)
    {
        try
        {
            var request = new StringBuilder();
            var buffer = new byte[4096];
            while (!request.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                int count = await stream.ReadAsync(buffer, _stop.Token);
                if (count == 0)
                {
                    return;
                }

                request.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }

            int number;
            lock (_requests)
            {
                number = _requests.Count;
                _requests.Add(request.ToString());
            }

            await stream.WriteAsync(_answer(number, request.ToString()), _stop.Token);
        }
        catch (IOException)
        {
            // The client had enough.
        }
    }
}
