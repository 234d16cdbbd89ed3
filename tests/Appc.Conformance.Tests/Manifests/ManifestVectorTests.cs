using System.Text.Json.Nodes;
using Appc.Manifests;

namespace Appc.Conformance.Tests.Manifests;

/// <summary>Every case of the image manifest and pod manifest vectors.</summary>
public sealed class ManifestVectorTests
{
    /// <summary>
    /// Where the specification leaves a case open and this library does other than the vectors recommend;
    /// docs/conformance.md has the reasons.
    /// </summary>
    private static readonly string[] s_refusedOnPurpose =
    [
        "im-d068", // repeated members
        "im-d069",
        "im-d070",
    ];

    public static TheoryData<string, string> Images => Vectors.Rows("image-manifests.jsonl");

    public static TheoryData<string, string> Pods => Vectors.Rows("pod-manifests.jsonl");

    public static TheoryData<string, string> ImageDeviations => Vectors.Rows("image-manifests.deviations.jsonl");

    public static TheoryData<string, string> PodDeviations => Vectors.Rows("pod-manifests.deviations.jsonl");

    [Theory]
    [MemberData(nameof(Images))]
    public void Image_manifests_are_read_as_the_vectors_say(string id, string title) =>
        Check(Vectors.Find("image-manifests.jsonl", id), ManifestKind.Image, title);

    [Theory]
    [MemberData(nameof(Pods))]
    public void Pod_manifests_are_read_as_the_vectors_say(string id, string title) =>
        Check(Vectors.Find("pod-manifests.jsonl", id), ManifestKind.Pod, title);

    [Theory]
    [MemberData(nameof(ImageDeviations))]
    public void Image_manifests_follow_the_specification_where_the_reference_does_not(string id, string title) =>
        CheckDeviation(Vectors.Find("image-manifests.deviations.jsonl", id), ManifestKind.Image, title);

    [Theory]
    [MemberData(nameof(PodDeviations))]
    public void Pod_manifests_follow_the_specification_where_the_reference_does_not(string id, string title) =>
        CheckDeviation(Vectors.Find("pod-manifests.deviations.jsonl", id), ManifestKind.Pod, title);

    private static void CheckDeviation(JsonObject record, ManifestKind kind, string title)
    {
        string id = Vectors.Text(record, "id");
        if (s_refusedOnPurpose.Contains(id))
        {
            Assert.Equal("unspecified", Vectors.Text(record, "spec"));
            Assert.Contains(Manifest.Validate(Vectors.Input(record), kind).Findings, finding => finding.Rule == "duplicate-member");
            return;
        }

        JsonNode? canonical = Vectors.Text(record, "recommend") == "reference" ? record["reference"]!["canonical"] : null;
        Check(Vectors.Input(record), Vectors.Text(record, "recommended"), canonical, kind, title);
    }

    private static void Check(JsonObject record, ManifestKind kind, string title) =>
        Check(Vectors.Input(record), Vectors.Text(record, "verdict"), record["canonical"], kind, title);

    private static void Check(byte[] input, string verdict, JsonNode? canonical, ManifestKind kind, string title)
    {
        ManifestReport report = Manifest.Validate(input, kind);
        string faults = $"{title}: {string.Join("; ", report.Findings)}";
        Assert.True(verdict == "accept" == report.IsValid, faults);
        if (!report.IsValid)
        {
            Assert.All(report.Findings, finding => Assert.NotEmpty(finding.Message));
            Assert.All(report.Findings, finding => Assert.True(finding is { Line: > 0, Column: > 0 } && finding.Path.StartsWith('$'), finding.ToString()));
            return;
        }

        string written = report.ToJson();
        if (canonical is not null)
        {
            JsonNode known = JsonNode.Parse((kind == ManifestKind.Image ? (object)WithoutUnknown(report.Image!) : WithoutUnknown(report.Pod!)) switch
            {
                ImageManifest image => image.ToJson(),
                object pod => ((PodManifest)pod).ToJson(),
            })!;
            Assert.Null(SameJson.Difference(LowerCaseIds(canonical), known));
        }

        ManifestReport again = Manifest.Validate(written, kind);
        Assert.True(again.IsValid, written);
        Assert.Equal(written, again.ToJson());
        Assert.Equal(report.Image, again.Image);
        Assert.Equal(report.Pod, again.Pod);
        Assert.Equal(written, Manifest.Validate(report.ToJson(indented: true), kind).ToJson());
    }

    /// <summary>The reference drops unknown members, which this library keeps.</summary>
    private static ImageManifest WithoutUnknown(ImageManifest image) => image with
    {
        UnknownMembers = [],
        App = WithoutUnknown(image.App),
        Labels = [.. image.Labels.Select(WithoutUnknown)],
        Annotations = [.. image.Annotations.Select(annotation => annotation with { UnknownMembers = [] })],
        Dependencies = [.. image.Dependencies.Select(dependency => dependency with { UnknownMembers = [], Labels = [.. dependency.Labels.Select(WithoutUnknown)] })],
    };

    private static PodManifest WithoutUnknown(PodManifest pod) => pod with
    {
        UnknownMembers = [],
        Apps = [.. pod.Apps.Select(app => app with
        {
            UnknownMembers = [],
            App = WithoutUnknown(app.App),
            Annotations = [.. app.Annotations.Select(annotation => annotation with { UnknownMembers = [] })],
            Image = app.Image with { UnknownMembers = [], Labels = [.. app.Image.Labels.Select(WithoutUnknown)] },
            Mounts = [.. app.Mounts.Select(mount => mount with { UnknownMembers = [], AppVolume = mount.AppVolume is null ? null : mount.AppVolume with { UnknownMembers = [] } })],
        })],
        Volumes = [.. pod.Volumes.Select(volume => volume with { UnknownMembers = [] })],
        Isolators = [.. pod.Isolators.Select(isolator => isolator with { UnknownMembers = [] })],
        Annotations = [.. pod.Annotations.Select(annotation => annotation with { UnknownMembers = [] })],
        Ports = [.. pod.Ports.Select(port => port with { UnknownMembers = [], PodPort = port.PodPort is null ? null : port.PodPort with { UnknownMembers = [] } })],
    };

    private static App? WithoutUnknown(App? app) => app is null ? null : app with
    {
        UnknownMembers = [],
        EventHandlers = [.. app.EventHandlers.Select(handler => handler with { UnknownMembers = [] })],
        Environment = [.. app.Environment.Select(variable => variable with { UnknownMembers = [] })],
        MountPoints = [.. app.MountPoints.Select(point => point with { UnknownMembers = [] })],
        Ports = [.. app.Ports.Select(port => port with { UnknownMembers = [] })],
        Isolators = [.. app.Isolators.Select(isolator => isolator with { UnknownMembers = [] })],
    };

    private static Label WithoutUnknown(Label label) => label with { UnknownMembers = [] };

    /// <summary>Image ids are written in lower case; the reference keeps their case.</summary>
    private static JsonNode LowerCaseIds(JsonNode canonical) => JsonNode.Parse(
        System.Text.RegularExpressions.Regex.Replace(canonical.ToJsonString(), "sha512-[0-9A-Fa-f]{128}", match => match.Value.ToLowerInvariant()))!;
}
