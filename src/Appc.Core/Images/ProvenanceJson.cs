using System.Text.Json;
using Appc.Trust;

namespace Appc.Images;

/// <summary>Provenance as a file.</summary>
internal static class ProvenanceJson
{
    public static byte[] Write(ImageProvenance provenance)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("source", provenance.Source);
            json.WriteString("imported", provenance.Imported);
            json.WriteBoolean("latest", provenance.Latest);
            json.WriteBoolean("insecure", provenance.Insecure);
            if (provenance.Signer is { } signer)
            {
                json.WriteStartObject("signer");
                json.WriteString("fingerprint", signer.Fingerprint);
                json.WriteString("primaryFingerprint", signer.PrimaryFingerprint);
                json.WriteString("userId", signer.UserId);
                json.WriteString("created", signer.Created);
                json.WriteString("algorithm", signer.Algorithm);
                WriteList(json, "scopes", signer.Scopes);
                WriteList(json, "maskedScopes", signer.MaskedScopes);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    /// <summary>Reads the file.</summary>
    /// <exception cref="FormatException">It is damaged.</exception>
    public static ImageProvenance Read(byte[] utf8)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8);
            JsonElement root = document.RootElement;
            return new ImageProvenance
            {
                Source = root.GetProperty("source").GetString() ?? throw new FormatException("source is missing"),
                Imported = root.GetProperty("imported").GetDateTimeOffset(),
                Latest = root.GetProperty("latest").GetBoolean(),
                Insecure = root.GetProperty("insecure").GetBoolean(),
                Signer = root.TryGetProperty("signer", out JsonElement signer) ? ReadSigner(signer) : null,
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private static SignatureSigner ReadSigner(JsonElement signer) => new(
        signer.GetProperty("fingerprint").GetString() ?? "",
        signer.GetProperty("primaryFingerprint").GetString() ?? "",
        signer.GetProperty("userId").GetString(),
        signer.GetProperty("created").GetDateTimeOffset(),
        signer.GetProperty("algorithm").GetString() ?? "",
        ReadList(signer, "scopes"))
    {
        MaskedScopes = ReadList(signer, "maskedScopes"),
    };

    private static string[] ReadList(JsonElement parent, string name) =>
        [.. parent.GetProperty(name).EnumerateArray().Select(e => e.GetString() ?? "")];

    private static void WriteList(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
