using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Appc.Manifests.Json;

/// <summary>Values of isolators that are made in code, as JSON.</summary>
internal static class IsolatorJson
{
    public static string Write(Action<Utf8JsonWriter> write)
    {
        using PooledBuffer buffer = new();
        using (Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
        {
            write(json);
        }

        return Encoding.UTF8.GetString(buffer.Written);
    }

    public static void WriteSet(Utf8JsonWriter json, IReadOnlyList<string> set, string? errno = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        json.WriteStartObject();
        json.WriteStartArray("set"u8);
        foreach (string entry in set)
        {
            json.WriteStringValue(entry);
        }

        json.WriteEndArray();
        if (!string.IsNullOrEmpty(errno))
        {
            json.WriteString("errno"u8, errno);
        }

        json.WriteEndObject();
    }

    public static void WriteTexts(Utf8JsonWriter json, params ReadOnlySpan<(string Name, string Value)> members)
    {
        json.WriteStartObject();
        foreach ((string name, string value) in members)
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
    }
}
