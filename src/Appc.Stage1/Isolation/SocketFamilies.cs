namespace Appc.Stage1.Isolation;

/// <summary>
/// The families of sockets that an app has by default. All others are denied: some belong to no network namespace (AF_VSOCK), and most
/// of them are corners of the kernel that are tried little, and loaded for whoever asks (AF_ALG, AF_RXRPC: CVE-2026-31431, CVE-2026-43500).
/// </summary>
/// <remarks>
/// A list of those that are allowed, since a list of those that are denied can be evaded: the kernel takes the lower half of the number,
/// a filter compares all of it.
/// </remarks>
internal static class SocketFamilies
{
    /// <summary>Name, as systemd has it, and number; in the order of the numbers.</summary>
    internal static IReadOnlyList<(string Name, ulong Number)> Allowed { get; } =
        [("AF_UNIX", 1), ("AF_INET", 2), ("AF_INET6", 10), ("AF_NETLINK", 16), ("AF_PACKET", 17)];
}
