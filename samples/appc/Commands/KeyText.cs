using System.Text.Json;
using Appc.Cli.Output;
using Appc.Signing;

namespace Appc.Cli.Commands;

/// <summary>How keys are shown.</summary>
internal static class KeyText
{
    public static void Write(Utf8JsonWriter json, OpenPgpKey key)
    {
        json.WriteString("algorithm", key.Algorithm);
        json.WriteStrings("userIds", key.UserIds);
        json.WriteTime("created", key.Created);
        json.WriteTime("expires", key.Expires);
        json.WriteBoolean("revoked", key.IsRevoked);
        json.WriteString("problem", key.Problem);
    }

    /// <summary>The lines by which a person judges a key.</summary>
    public static IEnumerable<string> Lines(OpenPgpKey key)
    {
        yield return key.FormatFingerprint();
        yield return $"  {key.Algorithm}, made {ImageText.Time(key.Created)}"
            + (key.Expires is { } expires ? $", expires {ImageText.Time(expires)}" : string.Empty);
        foreach (string userId in key.UserIds)
        {
            yield return "  " + userId;
        }

        if (key.Problem is { } problem)
        {
            yield return "  cannot sign images: " + problem;
        }
    }
}
