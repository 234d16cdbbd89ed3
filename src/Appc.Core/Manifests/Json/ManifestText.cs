using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Appc.Manifests.Json;

/// <summary>Between manifests and text.</summary>
internal static class ManifestText
{
    // The text is a file or a message to another program, never a part of a web page: nothing but what JSON
    // itself demands is escaped, so that names in every script stay readable.
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static byte[] ToUtf8(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return Encoding.UTF8.GetBytes(json);
    }

    public static byte[] ToBytes(string what, IReadOnlyList<ManifestFinding> findings, Action<ManifestWriter> write)
    {
        if (findings.Count > 0)
        {
            throw new ManifestException(what, findings);
        }

        using PooledBuffer buffer = new();
        using (Utf8JsonWriter json = new(buffer, s_options))
        {
            write(new ManifestWriter(json));
        }

        return buffer.Written.ToArray();
    }

    public static string ToText(byte[] compact, bool indented) =>
        Encoding.UTF8.GetString(indented ? JsonText.Indent(compact) : compact);
}
