using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Appc.Manifests;
using Appc.Manifests.Json;
using CsCheck;
using Json.Schema;

namespace Appc.Core.Tests.Manifests;

/// <summary>The JSON Schema files say what the library does, as far as JSON Schema can.</summary>
public sealed class SchemaTests
{
    private static readonly JsonSchema s_image = JsonSchema.FromFile(SourceTree.Path("docs/schema/image-manifest.schema.json"));
    private static readonly JsonSchema s_pod = JsonSchema.FromFile(SourceTree.Path("docs/schema/pod-manifest.schema.json"));

    /// <summary>Faults that JSON Schema has no words for: of the text, of what occurs twice in a list, and of numbers and dates in text.</summary>
    private static readonly string[] s_beyondSchema =
    [
        "syntax", "limit", "duplicate-member", "duplicate-label", "duplicate-annotation", "duplicate-environment", "duplicate-event-handler",
        "duplicate-app", "duplicate-volume", "duplicate-port", "duplicate-isolator", "conflicting-isolators", "bad-integer", "bad-date", "bad-url",
        "bad-quantity", "out-of-range",
    ];

    public static TheoryData<string> Files => ["image-manifests.jsonl", "image-manifests.deviations.jsonl", "pod-manifests.jsonl", "pod-manifests.deviations.jsonl"];

    [Theory]
    [MemberData(nameof(Files))]
    public void The_schema_agrees_with_the_library_on_every_vector(string file)
    {
        bool image = file.StartsWith("image", StringComparison.Ordinal);
        foreach (string line in File.ReadLines(SourceTree.Path("tests/data/vectors/" + file)))
        {
            JsonObject record = JsonNode.Parse(line)!.AsObject();
            byte[] input = record["inputBase64"] is { } bytes ? Convert.FromBase64String((string)bytes!) : Encoding.UTF8.GetBytes((string)record["input"]!);
            ManifestReport report = Manifest.Validate(input, image ? ManifestKind.Image : ManifestKind.Pod);
            if (TryParse(input, out JsonElement document))
            {
                bool valid = Allows(image ? s_image : s_pod, document);
                string faults = $"{(string)record["id"]!}: {string.Join("; ", report.Findings)}";
                Assert.True(valid || !report.IsValid, faults);
                Assert.True(!valid || report.Findings.All(finding => s_beyondSchema.Contains(finding.Rule)), faults);
            }
        }
    }

    [Fact]
    public void The_schema_allows_what_the_library_writes()
    {
        ManifestGen.Image.Sample(manifest => Allows(s_image, JsonDocument.Parse(manifest.ToJsonBytes()).RootElement), iter: 100);
        ManifestGen.Pod.Sample(manifest => Allows(s_pod, JsonDocument.Parse(manifest.ToJsonBytes()).RootElement), iter: 100);
    }

    [Fact]
    public void The_schema_names_the_members_that_the_library_knows()
    {
        JsonNode image = JsonNode.Parse(File.ReadAllText(SourceTree.Path("docs/schema/image-manifest.schema.json")))!;
        JsonNode pod = JsonNode.Parse(File.ReadAllText(SourceTree.Path("docs/schema/pod-manifest.schema.json")))!;
        Same(MemberNames.Image, image);
        Same(MemberNames.Pod, pod);
        foreach (JsonNode schema in new[] { image, pod })
        {
            Same(MemberNames.App, schema["$defs"]!["app"]!);
            Same(MemberNames.NameAndValue, schema["$defs"]!["label"]!);
            Same(MemberNames.NameAndValue, schema["$defs"]!["annotation"]!);
            Same(MemberNames.NameAndValue, schema["$defs"]!["isolator"]!);
            Same(MemberNames.NameAndValue, schema["$defs"]!["environmentVariable"]!);
            Same(MemberNames.EventHandler, schema["$defs"]!["eventHandler"]!);
            Same(MemberNames.MountPoint, schema["$defs"]!["mountPoint"]!);
            Same(MemberNames.Port, schema["$defs"]!["port"]!);
        }

        Same(MemberNames.Dependency, image["$defs"]!["dependency"]!);
        Same(MemberNames.RuntimeApp, pod["$defs"]!["runtimeApp"]!);
        Same(MemberNames.RuntimeImage, pod["$defs"]!["runtimeImage"]!);
        Same(MemberNames.Mount, pod["$defs"]!["mount"]!);
        Same(MemberNames.Volume, pod["$defs"]!["volume"]!);
        Same(MemberNames.ExposedPort, pod["$defs"]!["exposedPort"]!);
    }

    private static bool Allows(JsonSchema schema, JsonElement document) =>
        schema.Evaluate(document, new EvaluationOptions { OutputFormat = OutputFormat.Flag }).IsValid;

    private static bool TryParse(byte[] input, out JsonElement document)
    {
        try
        {
            document = JsonDocument.Parse(input).RootElement;
            return true;
        }
        catch (JsonException)
        {
            document = default;
            return false;
        }
    }

    private static void Same(string[] names, JsonNode schema) =>
        Assert.Equal(names.Order(), schema["properties"]!.AsObject().Select(property => property.Key).Order());
}
