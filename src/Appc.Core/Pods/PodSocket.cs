using System.Runtime.InteropServices;

namespace Appc.Pods;

/// <summary>
/// A listening socket of the host program that an app of a pod is handed, as by sd_listen_fds(3): LISTEN_FDS is set, and
/// LISTEN_FDNAMES holds the name of the port. Several sockets may be given for one port.
/// </summary>
public sealed class PodSocket
{
    /// <summary>Hands a socket to the app that has a port.</summary>
    /// <param name="port">Name of the port; the image declares it with <c>socketActivated</c>.</param>
    /// <param name="handle">
    /// The bound and listening socket, such as <see cref="System.Net.Sockets.Socket.SafeHandle"/>. It stays the caller's, who may close
    /// it when the pod has started (disposing a <see cref="System.Net.Sockets.Socket"/> also removes the path that it is bound to). Whoever accepts connections on it in this process too takes them away from the app.
    /// </param>
    public PodSocket(string port, SafeHandle handle)
    {
        ArgumentException.ThrowIfNullOrEmpty(port);
        ArgumentNullException.ThrowIfNull(handle);
        Port = port;
        Handle = handle;
    }

    /// <summary>Name of the port.</summary>
    public string Port { get; }

    /// <summary>The socket.</summary>
    public SafeHandle Handle { get; }

    /// <summary>
    /// Whether the app is started by the first connection or datagram only. It then counts as running and ready from the
    /// pod's start on, and is started once: when it has ended, nobody listens any more.
    /// </summary>
    /// <value>The default value is <see langword="false"/>: the app is started with the pod.</value>
    public bool StartOnConnection { get; set; }
}
