using System.Globalization;
using System.Net;
using System.Text;

namespace Appc.Metadata;

/// <summary>The lines before the body of a request (RFC 9112), as far as the service needs them.</summary>
internal sealed class HttpHead
{
    /// <summary>The longest head.</summary>
    public const int MaxBytes = 8 * 1024;

    private HttpHead()
    {
    }

    public string Method { get; private init; } = "";

    /// <summary>The path that is asked for, without a query.</summary>
    public string Path { get; private init; } = "";

    public string ContentType { get; private set; } = "";

    public long BodyLength { get; private set; }

    /// <summary>Whether the connection may be used for another request.</summary>
    public bool KeepAlive { get; private set; }

    /// <summary>Whether the body comes only once it was agreed to.</summary>
    public bool ExpectsContinue { get; private set; }

    /// <summary>Finds the end of the head: how many bytes it has, with the empty line; -1 while it is not there.</summary>
    public static int FindEnd(ReadOnlySpan<byte> received)
    {
        int end = received.IndexOf("\r\n\r\n"u8);
        return end < 0 ? -1 : end + 4;
    }

    /// <summary>Reads a head, its empty line included.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="refusal">What to answer if it is none.</param>
    /// <returns>The head; null if it is none.</returns>
    public static HttpHead? TryRead(ReadOnlySpan<byte> bytes, out MetadataResponse refusal)
    {
        refusal = MetadataResponse.Refuse(HttpStatusCode.BadRequest, "the request is malformed");
        if (bytes.ContainsAnyExceptInRange((byte)'\t', (byte)'~'))
        {
            return null;
        }

        string[] lines = Encoding.ASCII.GetString(bytes[..^4]).Split("\r\n");
        if (lines[0].Split(' ') is not [{ Length: > 0 } method, var target, "HTTP/1.1" or "HTTP/1.0"] || PathOf(target) is not { } path)
        {
            return null;
        }

        HttpHead head = new() { Method = method, Path = path, KeepAlive = lines[0].EndsWith("1.1", StringComparison.Ordinal) };
        bool hasLength = false;
        foreach (string line in lines.AsSpan(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.AsSpan(0, colon).ContainsAny([' ', '\t', '\r', '\n']) || line.AsSpan().ContainsAny('\r', '\n'))
            {
                return null;
            }

            string value = line[(colon + 1)..].Trim();
            switch (line[..colon].ToLowerInvariant())
            {
                case "content-length":
                    if (hasLength || !long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long length))
                    {
                        return null;
                    }

                    (hasLength, head.BodyLength) = (true, length);
                    break;
                case "transfer-encoding":
                    // Where it ends must be clear to everybody.
                    refusal = MetadataResponse.Refuse(HttpStatusCode.LengthRequired, "the body must come as a whole, with a Content-Length");
                    return null;
                case "content-type":
                    head.ContentType = value.Split(';')[0].Trim();
                    break;
                case "connection":
                    head.KeepAlive = !value.Contains("close", StringComparison.OrdinalIgnoreCase) && (head.KeepAlive || value.Contains("keep-alive", StringComparison.OrdinalIgnoreCase));
                    break;
                case "expect":
                    head.ExpectsContinue = value.Equals("100-continue", StringComparison.OrdinalIgnoreCase);
                    break;
                default:
                    break;
            }
        }

        return head;
    }

    /// <summary>The path of a target, which may be a whole URL; null if it has none.</summary>
    private static string? PathOf(string target)
    {
        const string Scheme = "http://";
        if (target.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            int slash = target.IndexOf('/', Scheme.Length);
            target = slash < 0 ? "/" : target[slash..];
        }

        return target.StartsWith('/') ? target.Split('?')[0] : null;
    }
}
