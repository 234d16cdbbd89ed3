using System.Buffers;
using System.Globalization;

namespace Appc.Manifests.Json;

/// <summary>
/// Judges the URLs of annotations. They are kept as text and never fetched by this library, so that only their form
/// matters: scheme, host, port and escapes. Characters that a browser would escape are let pass in what follows the host.
/// </summary>
internal static class WebAddress
{
    private static readonly SearchValues<char> s_notInHost = SearchValues.Create(" \"<>\\^`{|}%/?#@[]");

    /// <summary>What is wrong with it; null if nothing is.</summary>
    public static string? FaultOf(string text)
    {
        foreach (char character in text)
        {
            if (character < ' ' || character == '\x7f')
            {
                return "it has a control character";
            }
        }

        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || text[..scheme].ToLowerInvariant() is not ("http" or "https"))
        {
            return "it must begin with http:// or https://";
        }

        ReadOnlySpan<char> rest = text.AsSpan(scheme + 3);
        int end = rest.IndexOfAny('/', '?', '#');
        ReadOnlySpan<char> authority = end < 0 ? rest : rest[..end];
        ReadOnlySpan<char> tail = end < 0 ? [] : rest[end..];
        int user = authority.LastIndexOf('@');
        return HostFault(authority[(user + 1)..]) ?? EscapeFault(authority[..(user + 1)]) ?? EscapeFault(tail);
    }

    private static string? HostFault(ReadOnlySpan<char> host)
    {
        if (host is ['[', ..])
        {
            int close = host.IndexOf(']');
            if (close < 0 || !System.Net.IPAddress.TryParse(host[1..close], out _))
            {
                return "its host is no IPv6 address";
            }

            return PortFault(host[(close + 1)..]);
        }

        int colon = host.IndexOf(':');
        ReadOnlySpan<char> name = colon < 0 ? host : host[..colon];
        if (name.IsEmpty)
        {
            return "it has no host";
        }

        return name.ContainsAny(s_notInHost) ? "its host has a character that no host can have" : PortFault(colon < 0 ? [] : host[colon..]);
    }

    private static string? PortFault(ReadOnlySpan<char> port) =>
        port.IsEmpty || (port[0] == ':' && !port[1..].ContainsAnyExceptInRange('0', '9')) ? null : "its port is no number";

    private static string? EscapeFault(ReadOnlySpan<char> text)
    {
        for (int percent = text.IndexOf('%'); percent >= 0; percent = text.IndexOf('%'))
        {
            if (text.Length < percent + 3 || !byte.TryParse(text.Slice(percent + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _))
            {
                return "a '%' in it begins no escape";
            }

            text = text[(percent + 3)..];
        }

        return null;
    }
}
