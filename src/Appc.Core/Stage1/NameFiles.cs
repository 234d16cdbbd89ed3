using System.Net;
using System.Text;
using Appc.Linux;

namespace Appc.Stage1;

/// <summary>The files by which programs find names of hosts, as a pod's options have them.</summary>
internal static class NameFiles
{
    private const int LongestCopied = 64 * 1024;

    /// <summary>What is wrong with the options, in words.</summary>
    internal static IEnumerable<string> Check(Stage1Options options)
    {
        foreach (string entry in options.HostsEntries ?? [])
        {
            string[] words = entry.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2 || !IPAddress.TryParse(words[0], out _) || entry.Any(char.IsControl))
            {
                yield return $"'{Printable.Text(entry)}' is not an address and names for /etc/hosts";
            }
        }

        foreach (string server in (options.DnsServers ?? []).Where(s => !IPAddress.TryParse(s, out _)))
        {
            yield return $"the name server '{Printable.Text(server)}' is not an address";
        }

        foreach (string word in (options.DnsSearch ?? []).Concat(options.DnsOptions ?? []).Where(w => w.Length == 0 || w.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))))
        {
            yield return $"'{Printable.Text(word)}' cannot be written to /etc/resolv.conf";
        }
    }

    /// <summary>What to write to <c>/etc/hosts</c>; null to leave what the image has.</summary>
    /// <param name="options">The pod's options.</param>
    /// <param name="hostname">The pod's host name.</param>
    /// <param name="imageHasIt">Whether the image has a file that says something.</param>
    internal static byte[]? Hosts(Stage1Options options, string hostname, bool imageHasIt)
    {
        IReadOnlyList<string> entries = options.HostsEntries ?? [];
        if (options.Hosts == HostsMode.Image || (options.Hosts == HostsMode.Auto && imageHasIt && entries.Count == 0))
        {
            return null;
        }

        StringBuilder text = new();
        if (options.Hosts == HostsMode.Host && Copy("/etc/hosts") is { } copied)
        {
            text.Append(Encoding.UTF8.GetString(copied).TrimEnd('\n')).Append('\n');
        }
        else
        {
            text.Append("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
        }

        if (!hostname.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
        {
            text.Append("127.0.1.1 ").Append(hostname).Append('\n');
        }

        text.AppendJoin("", entries.Select(e => e + "\n"));
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>What to write to <c>/etc/resolv.conf</c>; null to leave what the image has.</summary>
    internal static byte[]? Resolver(Stage1Options options, bool imageHasIt)
    {
        IReadOnlyList<string> servers = options.DnsServers ?? [];
        if (options.Dns == DnsMode.Image)
        {
            return null;
        }

        if (servers.Count == 0)
        {
            return options.Dns == DnsMode.Host || (options.HostNetwork && !imageHasIt) ? Copy("/etc/resolv.conf") : null;
        }

        StringBuilder text = new();
        text.AppendJoin("", servers.Select(s => $"nameserver {s}\n"));
        AppendWords(text, "search", options.DnsSearch);
        AppendWords(text, "options", options.DnsOptions);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>What to write to <c>/etc/hostname</c>; null to leave what the image has.</summary>
    internal static byte[]? Hostname(string hostname, bool imageHasIt) => imageHasIt ? null : Encoding.UTF8.GetBytes(hostname + "\n");

    private static void AppendWords(StringBuilder text, string name, IReadOnlyList<string>? words)
    {
        if (words is { Count: > 0 })
        {
            text.Append(name).Append(' ').AppendJoin(' ', words).Append('\n');
        }
    }

    private static byte[]? Copy(string path)
    {
        try
        {
            return SmallFile.TryReadContent(path) is { } content ? content[..Math.Min(content.Length, LongestCopied)] : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
