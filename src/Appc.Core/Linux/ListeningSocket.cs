using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Appc.Linux;

/// <summary>What a listening socket is bound to, as a systemd.socket(5) unit writes it.</summary>
/// <param name="Setting">The setting: <c>ListenStream</c> or its like.</param>
/// <param name="Address">The address: <c>127.0.0.1:80</c>, <c>[::1]:80</c>, <c>/run/x</c>, <c>@x</c>.</param>
internal sealed unsafe record ListeningSocket(string Setting, string Address)
{
    private const int FamilySize = 2;

    /// <summary>Looks at a descriptor.</summary>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="problem">Why it is not a socket that can be handed on.</param>
    /// <returns>What it is bound to; null if it cannot be handed on.</returns>
    internal static ListeningSocket? Describe(int descriptor, out string problem)
    {
        byte* raw = stackalloc byte[128];
        int size = 128;
        if (Libc.getsockname(descriptor, raw, &size) < 0 || Option(descriptor, Libc.SO_TYPE) is not { } type)
        {
            problem = "it is not a socket";
            return null;
        }

        string? setting = type switch
        {
            Libc.SOCK_STREAM => "ListenStream",
            Libc.SOCK_DGRAM => "ListenDatagram",
            Libc.SOCK_SEQPACKET => "ListenSequentialPacket",
            _ => null,
        };
        if (setting is null)
        {
            problem = "it is neither a stream nor a datagram socket";
            return null;
        }

        if (type != Libc.SOCK_DGRAM && Option(descriptor, Libc.SO_ACCEPTCONN) is not 1)
        {
            problem = "it does not listen";
            return null;
        }

        ReadOnlySpan<byte> bound = new(raw, Math.Min(size, 128));
        if (IsUnbound(bound))
        {
            problem = "it is bound to no address";
            return null;
        }

        string? address = Format(bound, out problem);
        return address is null ? null : new ListeningSocket(setting, address);
    }

    /// <summary>Writes an address as systemd reads it; null if that cannot be done.</summary>
    internal static string? Format(ReadOnlySpan<byte> address, out string problem)
    {
        problem = "it is of a family that cannot be handed on";
        if (address.Length < FamilySize)
        {
            return null;
        }

        int family = BitConverter.ToUInt16(address);
        switch (family)
        {
            case Libc.AF_INET when address.Length >= 8:
                return string.Create(CultureInfo.InvariantCulture, $"{new IPAddress(address.Slice(4, 4))}:{BinaryPrimitives.ReadUInt16BigEndian(address[2..])}");
            case Libc.AF_INET6 when address.Length >= 28:
                if (BitConverter.ToUInt32(address[24..]) != 0)
                {
                    problem = "its address is one of a single link, whose interface the pod does not have";
                    return null;
                }

                return string.Create(CultureInfo.InvariantCulture, $"[{new IPAddress(address.Slice(8, 16))}]:{BinaryPrimitives.ReadUInt16BigEndian(address[2..])}");
            case Libc.AF_UNIX:
                return FormatPath(address[FamilySize..], out problem);
            default:
                return null;
        }
    }

    private static bool IsUnbound(ReadOnlySpan<byte> address) => address.Length >= FamilySize && BitConverter.ToUInt16(address) switch
    {
        Libc.AF_INET or Libc.AF_INET6 => address.Length >= 4 && BinaryPrimitives.ReadUInt16BigEndian(address[FamilySize..]) == 0,
        Libc.AF_UNIX => address.Length == FamilySize,
        _ => false,
    };

    private static string? FormatPath(ReadOnlySpan<byte> path, out string problem)
    {
        bool isAbstract = path.Length > 1 && path[0] == 0;
        ReadOnlySpan<byte> bytes = isAbstract ? path[1..] : path[..(path.IndexOf((byte)0) is >= 0 and int end ? end : path.Length)];
        string text = Encoding.UTF8.GetString(bytes);
        problem = "its path must be absolute and of plain characters, so that the pod's systemd can tell it again";
        return text.Length == 0 || text.Any(c => char.IsControl(c) || c is '\\' or '"' or '\'' or '\ufffd') || text != text.Trim() ? null
            : isAbstract ? "@" + text
            : text.StartsWith('/') ? text
            : null;
    }

    private static int? Option(int descriptor, int option)
    {
        int value = 0;
        int size = sizeof(int);
        return Libc.getsockopt(descriptor, Libc.SOL_SOCKET, option, &value, &size) < 0 ? null : value;
    }
}
