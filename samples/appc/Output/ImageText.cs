using System.Globalization;
using System.Text.Json;
using Appc.Images;
using Appc.Manifests;

namespace Appc.Cli.Output;

/// <summary>How an image is shown.</summary>
internal static class ImageText
{
    /// <summary>The start of an id: long enough to be unique in practice, and accepted wherever an id is.</summary>
    public static string Short(ImageId id) => id.ToString()[..19];

    public static string Labels(IReadOnlyList<Label> labels) =>
        string.Join(',', labels.Select(l => $"{l.Name}={l.Value}"));

    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + "Z";

    public static string SignedBy(StoredImage image) =>
        image.Provenance.Signer is { } signer ? signer.PrimaryFingerprint : image.Provenance.Insecure ? "(not checked)" : "(unknown)";

    /// <summary>The members that every command shows of an image.</summary>
    public static void WriteMembers(Utf8JsonWriter json, StoredImage image)
    {
        json.WriteString("id", image.Id.ToString());
        json.WriteString("name", image.Manifest.Name.ToString());
        json.WriteStartObject("labels");
        foreach (Label label in image.Manifest.Labels)
        {
            json.WriteString(label.Name.ToString(), label.Value);
        }

        json.WriteEndObject();
    }

    public static void WriteSigner(Utf8JsonWriter json, StoredImage image)
    {
        if (image.Provenance.Signer is not { } signer)
        {
            json.WriteNull("signedBy");
            return;
        }

        json.WriteStartObject("signedBy");
        json.WriteString("fingerprint", signer.PrimaryFingerprint);
        json.WriteString("signingKey", signer.Fingerprint);
        json.WriteString("userId", signer.UserId);
        json.WriteString("algorithm", signer.Algorithm);
        json.WriteTime("created", signer.Created);
        json.WriteStrings("scopes", signer.Scopes);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, StoredImage image)
    {
        json.WriteStartObject();
        WriteMembers(json, image);
        json.WriteNumber("archiveBytes", image.ArchiveBytes);
        json.WriteTime("imported", image.Provenance.Imported);
        json.WriteTime("lastUsed", image.LastUsed);
        json.WriteString("source", image.Provenance.Source);
        json.WriteBoolean("latest", image.Provenance.Latest);
        json.WriteBoolean("insecure", image.Provenance.Insecure);
        WriteSigner(json, image);
        json.WriteEndObject();
    }
}
