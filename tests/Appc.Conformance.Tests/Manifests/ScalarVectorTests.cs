using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Appc.Manifests;
using Appc.Manifests.Json;

namespace Appc.Conformance.Tests.Manifests;

/// <summary>Every case of the vectors of scalar types and text forms.</summary>
public sealed class ScalarVectorTests
{
    public static TheoryData<string, string> Agreed => Vectors.Rows("scalars.jsonl");

    public static TheoryData<string, string> Deviations => Vectors.Rows("scalars.deviations.jsonl");

    [Theory]
    [MemberData(nameof(Agreed))]
    public void Scalars_are_read_as_the_vectors_say(string id, string kind)
    {
        JsonObject record = Vectors.Find("scalars.jsonl", id);
        JsonNode? result = Read(kind, record);
        Assert.Equal(Vectors.Text(record, "verdict") == "accept", result is not null);
        if (result is not null && Expected(kind, record["result"]) is { } expected)
        {
            Assert.Null(SameJson.Difference(expected, result, strict: true));
        }
    }

    [Theory]
    [MemberData(nameof(Deviations))]
    public void Scalars_follow_the_specification_where_the_reference_does_not(string id, string kind)
    {
        JsonObject record = Vectors.Find("scalars.deviations.jsonl", id);
        JsonNode? result = Read(kind, record);
        switch (record["recommended"])
        {
            case null:
                // Left open; what matters is that there is an answer and no accident.
                Assert.Equal("either", Vectors.Text(record, "recommend"));
                break;
            case JsonObject expected:
                Assert.Null(SameJson.Difference(expected, result, strict: true));
                break;
            case JsonNode verdict:
                Assert.Equal((string)verdict! == "accept", result is not null);
                break;
        }
    }

    /// <summary>What comes out; null where the input is refused.</summary>
    private static JsonNode? Read(string kind, JsonObject record)
    {
        string input = Vectors.Text(record, "input");
        JsonObject args = record["args"] as JsonObject ?? [];
        string Argument(string name) => (string?)args[name] ?? "";
        try
        {
            return kind switch
            {
                "ac-name" => Text(AcName.Parse(input)),
                "ac-identifier" => Text(AcIdentifier.Parse(input)),
                "sanitize-ac-name" => Text(AcName.Sanitize(input)),
                "sanitize-ac-identifier" => Text(AcIdentifier.Sanitize(input)),
                "ac-kind" => Kind(input),
                "semver" => Text(SemVer.Parse(input)),
                "semver-compare" => Compare(SemVer.Parse(Argument("a")), SemVer.Parse(Argument("b"))),
                "date" => Text(Timestamp.Parse(input)),
                "hash" => Text(ImageId.Parse(input)),
                "short-hash" => ShortId(input),
                "hash-of" => Text(ImageId.OfBytes(Encoding.UTF8.GetBytes(input))),
                "uuid" => Text(Uuid.Parse(input)),
                "uuid-json" => Text(Uuid.Parse(JsonString(input))),
                "exec" => Exec(input),
                "environment" => Environment(input),
                "url" => Url(input),
                "os-arch" => OsAndArch(args),
                "to-os-arch" => OsAndArch(OsArch.FromGo(Argument("os"), Argument("arch"), Argument("flavor"))),
                "volume-string" => VolumeText(Volume.Parse(input)),
                "mountpoint-string" => new JsonObject { ["value"] = InApp("mountPoints", MountPoint.Parse(input)) },
                "mount-string" => MountText(Mount.Parse(input)),
                "port-string" => new JsonObject { ["value"] = InApp("ports", Port.Parse(input)) },
                "app-string" => App(AppReference.Parse(input)),
                "query-string" => Query(input),
                _ => throw new InvalidOperationException($"no such kind of vector: {kind}"),
            };
        }
        catch (ManifestException)
        {
            return null;
        }
    }

    /// <summary>The vectors' result, but for what docs/conformance.md lists for the helpers and text forms.</summary>
    private static JsonNode? Expected(string kind, JsonNode? result)
    {
        switch (kind)
        {
            case "url" or "os-arch":
                // Only the verdict counts: URLs are kept as they are written.
                return null;
            case "sanitize-ac-name":
                // What comes out is a valid AC Name, so that hyphens in a row become one.
                return new JsonObject { ["string"] = System.Text.RegularExpressions.Regex.Replace((string)result!["string"]!, "-+", "-") };
            case "port-string":
                JsonObject port = result!.DeepClone().AsObject();
                if ((int)port["value"]!["count"]! == 0)
                {
                    port["value"]!["count"] = 1;
                }

                return port;
            case "exec" or "environment":
                return result!["canonical"];
            case "app-string" when result!["string"] is null:
                JsonObject several = result.DeepClone().AsObject();
                several["string"] = null;
                return several;
            default:
                return result;
        }
    }

    private static JsonObject Text(object value) => new() { ["string"] = value.ToString() };

    private static string JsonString(string json)
    {
        try
        {
            JsonNode? node = JsonNode.Parse(json);
            return node?.GetValueKind() == JsonValueKind.String ? (string)node! : throw new ManifestException("not a string");
        }
        catch (JsonException exception)
        {
            throw new ManifestException("not JSON", innerException: exception);
        }
    }

    private static JsonObject Kind(string json)
    {
        ManifestReport report = Manifest.Validate($"{{\"acKind\":{json}}}");
        return report.Findings.Any(finding => finding.Path is "$.acKind" or "$")
            ? throw new ManifestException("not a kind")
            : Text(report.Kind == ManifestKind.Image ? AcKind.ImageManifest : AcKind.PodManifest);
    }

    private static JsonObject Compare(SemVer a, SemVer b) =>
        new() { ["lessThan"] = a.ComparePrecedence(b) < 0, ["lessThanMajor"] = a.Major < b.Major };

    private static JsonObject ShortId(string text)
    {
        string full = text.Length > 39 ? ImageId.Parse(text.PadRight(135, '0')[..135]).Short : text;
        Assert.True(ImageId.IsPrefix(full));
        return Text(full);
    }

    private static JsonNode Exec(string json) => OfImage($"\"exec\":{json}")["app"]!["exec"]?.DeepClone() ?? new JsonArray();

    private static JsonNode Environment(string json) => OfImage($"\"environment\":{json}")["app"]!["environment"]?.DeepClone() ?? new JsonArray();

    private static JsonNode OfImage(string member) => JsonNode.Parse(ImageManifest.Parse(
        $$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","app":{"user":"0","group":"0",{{member}} } }""").ToJson())!;

    private static JsonObject Url(string url)
    {
        ImageManifest image = new() { Name = AcIdentifier.Parse("a"), Annotations = [new Annotation("homepage", url)] };
        Assert.Equal(image.Validate().Count == 0, image with { Annotations = [new Annotation("documentation", url)] } is { } other && other.Validate().Count == 0);
        return image.Validate().Count == 0 ? Text(url) : throw new ManifestException(image.Validate()[0].Message);
    }

    private static JsonObject OsAndArch(JsonObject labels)
    {
        ImageManifest image = new()
        {
            Name = AcIdentifier.Parse("a"),
            Labels = [.. labels.Select(label => new Label(label.Key, (string)label.Value!))],
        };
        return image.Validate().Count == 0 ? new JsonObject() : throw new ManifestException(image.Validate()[0].Message);
    }

    private static JsonObject OsAndArch(OsArch value)
    {
        Assert.True(OsArch.IsKnown(value.Os, value.Arch));
        return new() { ["os"] = value.Os, ["arch"] = value.Arch };
    }

    private static JsonObject VolumeText(Volume volume)
    {
        PodManifest pod = new() { Volumes = [volume] };
        Assert.Equal(volume, Volume.Parse(volume.ToString()));
        return new() { ["value"] = JsonNode.Parse(pod.ToJson())!["volumes"]![0]!.DeepClone(), ["string"] = volume.ToString() };
    }

    private static JsonObject MountText(Mount mount)
    {
        Assert.Equal(mount, Mount.Parse(mount.ToString()));
        return new() { ["volume"] = mount.Volume.ToString(), ["path"] = mount.Path };
    }

    private static JsonNode InApp<T>(string member, T value)
    {
        App app = value is Port port
            ? new App { Ports = [port] }
            : new App { MountPoints = [(MountPoint)(object)value!] };
        ImageManifest image = new() { Name = AcIdentifier.Parse("a"), App = app };
        return JsonNode.Parse(image.ToJson())!["app"]![member]![0]!.DeepClone();
    }

    private static JsonObject App(AppReference reference)
    {
        Assert.Equal(reference, AppReference.Parse(reference.ToString()));
        return new()
        {
            ["name"] = reference.Name.ToString(),
            ["labels"] = new JsonObject(reference.Labels.Select(label => KeyValuePair.Create(label.Name.ToString(), (JsonNode?)label.Value))),
            ["string"] = reference.Labels.Count > 1 ? null : reference.ToString(),
        };
    }

    /// <summary>The reference turns text forms into URL queries to split them. Here they are split as they are; the parts must be the same.</summary>
    private static JsonObject Query(string text)
    {
        PairText pairs = PairText.Parse("list", text, null);
        return Text(string.Join('&', pairs.Pairs.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}")));
    }
}
