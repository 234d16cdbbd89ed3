using System.Text.Json;
using System.Text.Json.Serialization;

namespace Appc.Trust;

/// <summary>Policies as they stand in the provenance of images and in the records of pods.</summary>
internal sealed class TrustPolicyJson : JsonConverter<TrustPolicy>
{
    public static void Write(Utf8JsonWriter json, TrustPolicy policy)
    {
        json.WriteStartObject();
        json.WriteBoolean("signatureRequired", policy.SignatureRequired);
        json.WriteNumber("signers", policy.Signers);
        WriteList(json, "keys", policy.Keys);
        WriteList(json, "images", policy.Images.Select(i => i.ToString()));
        json.WriteEndObject();
    }

    /// <exception cref="JsonException">It is damaged.</exception>
    public static TrustPolicy Read(JsonElement json)
    {
        try
        {
            return TrustPolicy.Restore(
                json.GetProperty("signatureRequired").GetBoolean(), json.GetProperty("signers").GetInt32(), ReadList(json, "keys"), ReadList(json, "images"));
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new JsonException("a trust policy is damaged: " + e.Message, e);
        }
    }

    public override TrustPolicy Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(JsonElement.ParseValue(ref reader));

    public override void Write(Utf8JsonWriter writer, TrustPolicy value, JsonSerializerOptions options) => Write(writer, value);

    private static string[] ReadList(JsonElement parent, string name) =>
        [.. parent.GetProperty(name).EnumerateArray().Select(e => e.GetString() ?? "")];

    private static void WriteList(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
