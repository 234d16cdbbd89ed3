using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Appc.Linux;

/// <summary>
/// The address of a socket by its name in an open directory: the whole path may be longer than an address can be. Unlike the runtime's own kind it
/// is not removed with the socket, when the descriptor may be another directory's.
/// </summary>
internal sealed class UnixAddress(Fd directory, string name) : EndPoint
{
    private readonly UnixDomainSocketEndPoint _path = new(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{directory.Number}/{name}"));

    public override AddressFamily AddressFamily => AddressFamily.Unix;

    public override SocketAddress Serialize() => _path.Serialize();

    public override EndPoint Create(SocketAddress socketAddress) => _path.Create(socketAddress);
}
