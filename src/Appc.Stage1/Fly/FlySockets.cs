using System.Globalization;
using Appc.Linux;

namespace Appc.Stage1.Fly;

/// <summary>Listening sockets on their way into a fly pod, as sd_listen_fds(3) finds them.</summary>
internal sealed class FlySockets : IDisposable
{
    /// <summary>The first number of those that are handed on.</summary>
    internal const int FirstDescriptor = 3;

    private readonly List<HeldDescriptor> _held = [];

    private FlySockets(bool hasLock) => HasLock = hasLock;

    /// <summary>Whether the pod's lock is handed on before them.</summary>
    internal bool HasLock { get; }

    /// <summary>Their numbers in this process; held open until this is disposed.</summary>
    internal IReadOnlyList<int> Descriptors => [.. _held.Select(h => h.Number)];

    /// <exception cref="LaunchException">One of them cannot be handed on.</exception>
    internal static FlySockets Hold(Stage1Pod pod, string subject)
    {
        FlySockets sockets = new(pod.LockDescriptor >= 0);
        try
        {
            foreach (Stage1Socket socket in pod.Sockets)
            {
                if (socket.StartOnConnection)
                {
                    throw new LaunchException(
                        "look at the sockets", 0, $"{subject}: the app is to be started by a connection to the port {socket.Port}, and nobody would be there to see it",
                        "Use the nspawn flavour, or let the app be started at once.");
                }

                sockets._held.Add(SocketHold.Take(socket, subject));
            }

            return sockets;
        }
        catch
        {
            sockets.Dispose();
            throw;
        }
    }

    /// <summary>The variables that tell the app. It is process 1.</summary>
    internal static IEnumerable<string> Environment(Stage1Pod pod) => pod.Sockets.Count == 0 ? [] :
    [
        "LISTEN_PID=1",
        string.Create(CultureInfo.InvariantCulture, $"LISTEN_FDS={pod.Sockets.Count}"),
        "LISTEN_FDNAMES=" + string.Join(':', pod.Sockets.Select(s => s.Port)),
    ];

    public void Dispose() => _held.ForEach(h => h.Dispose());
}
