using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>The socket on which systemd-nspawn tells how far it is (sd_notify(3)).</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly Socket _socket;
    private readonly string _path;

    private NotifySocket(Socket socket, string path)
    {
        _socket = socket;
        _path = path;
    }

    /// <summary>Makes the socket in a directory that only root can enter.</summary>
    internal static NotifySocket Bind(string directory)
    {
        string path = Path.Combine(directory, PodPaths.NotifyName);
        File.Delete(path);
        Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            using Fd fd = Fd.OpenDirectory(directory);
            socket.Bind(new UnixAddress(fd, PodPaths.NotifyName));
            return new NotifySocket(socket, path);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits until the pod's systemd has started what it was asked to start.</summary>
    /// <param name="onLeader">Is told the number of the pod's process 1, as this process sees it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task WaitUntilReadyAsync(Action<int> onLeader, CancellationToken cancellationToken)
    {
        const string Leader = "X_NSPAWN_LEADER_PID=";
        byte[] buffer = new byte[4096];
        while (true)
        {
            int length = await _socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            foreach (string line in Encoding.UTF8.GetString(buffer, 0, length).Split('\n'))
            {
                if (line == "READY=1")
                {
                    return;
                }

                if (line.StartsWith(Leader, StringComparison.Ordinal)
                    && int.TryParse(line.AsSpan(Leader.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
                {
                    onLeader(pid);
                }
            }
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        File.Delete(_path);
    }
}
