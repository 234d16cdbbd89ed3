using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Appc.Cli.Output;

/// <summary>The house rules for JSON: camelCase names, RFC 3339 times in UTC, durations in seconds.</summary>
internal static class JsonText
{
    public static void Write(Stream output, Action<Utf8JsonWriter> write) => Write(output, write, indented: true);

    public static void WriteLine(Stream output, Action<Utf8JsonWriter> write) => Write(output, write, indented: false);

    private static void Write(Stream output, Action<Utf8JsonWriter> write, bool indented)
    {
        var options = new JsonWriterOptions { Indented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(output, options))
        {
            write(writer);
        }

        output.WriteByte((byte)'\n');
        output.Flush();
    }

    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture);

    public static void WriteTime(this Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } value)
        {
            json.WriteString(name, Time(value));
        }
        else
        {
            json.WriteNull(name);
        }
    }

    public static void WriteNumberOrNull(this Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    public static void WriteStrings(this Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
