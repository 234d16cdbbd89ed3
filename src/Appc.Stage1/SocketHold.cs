using Appc.Linux;

namespace Appc.Stage1;

/// <summary>Holds a listening socket of the caller while it is handed to a pod.</summary>
internal static class SocketHold
{
    /// <exception cref="LaunchException">The caller has closed it.</exception>
    internal static HeldDescriptor Take(Stage1Socket socket, string subject) =>
        HeldDescriptor.TryTake(socket.Handle)
            ?? throw new LaunchException("look at the sockets", 0, $"{subject}: a socket is closed", "Keep it open until the start has returned.");
}
