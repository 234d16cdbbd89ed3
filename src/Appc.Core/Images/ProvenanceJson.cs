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
            if (provenance.Policy is { } policy)
            {
                json.WritePropertyName("policy");
                TrustPolicyJson.Write(json, policy);
            }

            if (provenance.Checked is { } time)
            {
                json.WriteString("checked", time);
            }

            json.WriteStartArray("signers");
            foreach (SignatureSigner signer in provenance.Signers)
            {
                json.WriteStartObject();
                json.WriteString("fingerprint", signer.Fingerprint);
                json.WriteString("primaryFingerprint", signer.PrimaryFingerprint);
                json.WriteString("userId", signer.UserId);
                json.WriteString("created", signer.Created);
                json.WriteString("algorithm", signer.Algorithm);
                WriteList(json, "scopes", signer.Scopes);
                WriteList(json, "maskedScopes", signer.MaskedScopes);
                json.WriteEndObject();
            }

            json.WriteEndArray();
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
                Policy = root.TryGetProperty("policy", out JsonElement policy) ? TrustPolicyJson.Read(policy) : null,
                Checked = root.TryGetProperty("checked", out JsonElement time) ? time.GetDateTimeOffset() : null,
                Signers = ReadSigners(root),
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    /// <summary>The signers; a file of the first format has one at most.</summary>
    private static SignatureSigner[] ReadSigners(JsonElement root) =>
        root.TryGetProperty("signers", out JsonElement signers) ? [.. signers.EnumerateArray().Select(ReadSigner)]
        : root.TryGetProperty("signer", out JsonElement signer) ? [ReadSigner(signer)]
        : [];

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
