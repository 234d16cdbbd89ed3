using System.Text;
using System.Text.Json;
using Appc.Images;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Conformance.Tests.Images;

/// <summary>One line of the corpus.</summary>
internal sealed class HostileCase(JsonElement json)
{
    public string File => json.GetProperty("file").GetString()!;

    public string Outcome => json.GetProperty("outcome").GetString()!;

    public TimeSpan Time => TimeSpan.FromSeconds(Limit("seconds") ?? 20);

    public long MemoryBytes => Limit("memoryBytes") ?? 256L << 20;

    public IEnumerable<string> MustNotExist => json.GetProperty("mustNotExist").EnumerateArray().Select(e => e.GetString()!);

    public IReadOnlyList<JsonElement> MustHold => Items("mustHold");

    public IReadOnlyList<JsonElement> MustNotHaveAttribute => Items("mustNotHaveXattr");

    public static byte[] PathOf(JsonElement item) => item.TryGetProperty("pathHex", out JsonElement hex)
        ? Convert.FromHexString(hex.GetString()!)
        : Encoding.UTF8.GetBytes(item.GetProperty("path").GetString()!);

    public ImportOptions Options()
    {
        ImportOptions options = new() { Trust = TrustPolicy.Insecure };
        options.Limits.ExpandedBytes = Limit("expandedBytes") ?? options.Limits.ExpandedBytes;
        options.Limits.Entries = Limit("entries") ?? options.Limits.Entries;
        options.Limits.Ratio = (int)(Limit("ratio") ?? options.Limits.Ratio);
        options.Limits.PathBytes = (int)(Limit("pathBytes") ?? options.Limits.PathBytes);
        options.Limits.ManifestBytes = (int)(Limit("manifestBytes") ?? options.Limits.ManifestBytes);
        options.Limits.ExtendedHeaderBytes = (int)(Limit("extendedHeaderBytes") ?? options.Limits.ExtendedHeaderBytes);
        if (json.TryGetProperty("expectName", out JsonElement name))
        {
            options.ExpectedName = AcIdentifier.Parse(name.GetString()!);
        }

        return options;
    }

    private long? Limit(string name) =>
        json.TryGetProperty("limits", out JsonElement limits) && limits.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : null;

    private JsonElement[] Items(string name) => json.TryGetProperty(name, out JsonElement items) ? [.. items.EnumerateArray()] : [];
}
