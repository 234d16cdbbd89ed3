using System.Text;
using Appc.Manifests;

namespace Appc.Core.Tests.Manifests;

public sealed class ManifestFindingTests
{
    [Fact]
    public void Every_fault_is_reported_where_it_stands()
    {
        const string json = """
            {
              "acKind": "ImageManifest",
              "acVersion": "0.8",
              "labels": [
                {"name": "os", "value": "linux"},
                {"name": "arch", "value": "x86_64"},
                {"name": "os", "value": "linux"}
              ],
              "app": {
                "exec": "/bin/sh",
                "user": "",
                "environment": [{"name": "é=", "value": "1"}, null],
                "ports": [{"name": "web", "protocol": "tcp", "port": 65535, "count": 2}]
              },
              "annotations": [{"name": "created", "value": "yesterday"}]
            }
            """;

        ManifestReport report = Manifest.Validate(json);

        Assert.Equal(ManifestKind.Image, report.Kind);
        Assert.False(report.IsValid);
        Assert.Null(report.Image);
        Assert.Equal(
            [
                "$.name 1:1 required",
                "$.acVersion 3:16 bad-version",
                "$.labels[1].value 6:31 bad-arch",
                "$.labels[2].name 7:14 duplicate-label",
                "$.app.group 9:10 required",
                "$.app.exec 10:13 wrong-type",
                "$.app.user 11:13 required",
                "$.app.environment[0].name 12:30 bad-environment-name",
                "$.app.environment[1] 12:51 wrong-type",
                "$.app.ports[0].count 13:74 out-of-range",
                "$.annotations[0].value 15:48 bad-date",
            ],
            report.Findings.Select(finding => $"{finding.Path} {finding.Line}:{finding.Column} {finding.Rule}"));
        Assert.Equal("\"é=\"", report.Findings[7].Value);
        Assert.Equal("aci.md: Image Manifest Schema", report.Findings[7].SpecSection);
    }

    [Fact]
    public void The_exception_tells_the_first_fault_and_holds_all()
    {
        ManifestException exception = Assert.Throws<ManifestException>(() => PodManifest.Parse("""{"acKind":"PodManifest","acVersion":"0.8.11"}"""));
        Assert.Equal("invalid pod manifest: $.apps (line 1, column 1): the member 'apps' is required [pods.md: Pod Manifest Schema]", exception.Message);
        Assert.Single(exception.Findings);

        exception = Assert.Throws<ManifestException>(() => PodManifest.Parse("""{"acKind":"PodManifest"}"""));
        Assert.EndsWith("(and 1 more fault)", exception.Message, StringComparison.Ordinal);

        exception = Assert.Throws<ManifestException>(() => ImageManifest.Parse("{}"));
        Assert.EndsWith("(and 2 more faults)", exception.Message, StringComparison.Ordinal);
        Assert.Equal(3, exception.Findings.Count);
    }

    [Fact]
    public void Values_are_shown_short_and_without_control_characters()
    {
        string value = "\\u001b[31m\\u202e" + new string('x', 500);
        ManifestFinding finding = Assert.Single(Manifest.Validate($$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"{{value}}"}""").Findings);
        Assert.StartsWith("\"\\u{1b}[31m\\u{202e}xxx", finding.Value, StringComparison.Ordinal);
        Assert.EndsWith("...\"", finding.Value, StringComparison.Ordinal);
        Assert.InRange(finding.Value!.Length, 60, 80);
        Assert.DoesNotContain(finding.ToString(), character => char.IsControl(character));

        finding = Assert.Single(Manifest.Validate($$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"{{new string('é', 100_000)}}"}""").Findings);
        Assert.InRange(finding.Value!.Length, 60, 80);
    }

    [Theory]
    [InlineData("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":5}", "5")]
    [InlineData("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":{}}", "{}")]
    [InlineData("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":{\"a\":1}}", "{...}")]
    [InlineData("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":[]}", "[]")]
    [InlineData("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":[1]}", "[...]")]
    [InlineData("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":true}", "true")]
    public void Values_of_every_type_are_shown(string json, string shown) =>
        Assert.Equal(shown, Assert.Single(Manifest.Validate(json).Findings).Value);

    [Fact]
    public void Columns_count_characters_not_bytes()
    {
        ManifestFinding finding = Assert.Single(Manifest.Validate("""{"日本":"😀","acKind":"ImageManifest","acVersion":"0.8.11","name":"A"}""").Findings);
        Assert.Equal((1, 64), (finding.Line, finding.Column));
    }

    [Fact]
    public void Odd_member_names_are_quoted_in_paths()
    {
        ManifestReport report = Manifest.Validate("""
            {"acKind":"PodManifest","acVersion":"0.8.11","apps":[],
             "isolators":[{"name":"os/unix/sysctl","value":{"net.ipv4 'x'\u0007\\":1}}], "userLabels":{"":2,"9":3}}
            """);
        Assert.Equal(
            ["$.isolators[0].value['net.ipv4 \\'x\\'\\\\u{7}\\\\']", "$.userLabels['']", "$.userLabels['9']"],
            report.Findings.Select(finding => finding.Path));
    }

    [Theory]
    [InlineData("", "$", 1, 1)]
    [InlineData("{", "$", 1, 2)]
    [InlineData("{\n  \"a\": tru}", "$", 2, 11)]
    [InlineData("{} {}", "$", 1, 4)]
    [InlineData("{\"a\":1,}", "$", 1, 8)]
    [InlineData("// no\n{}", "$", 1, 1)]
    [InlineData("{\"a\":01}", "$", 1, 7)]
    [InlineData("{\"a\":\"\t\"}", "$", 1, 7)]
    [InlineData("{\"a\":NaN}", "$", 1, 6)]
    public void Text_that_is_no_json_is_one_fault(string text, string path, int line, int column)
    {
        ManifestFinding finding = Assert.Single(Manifest.Validate(text).Findings);
        Assert.Equal(("syntax", path, line, column), (finding.Rule, finding.Path, finding.Line, finding.Column));
        Assert.StartsWith("not valid JSON: ", finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_order_mark_is_refused() =>
        Assert.Contains("byte order mark", Assert.Single(Manifest.Validate([0xEF, 0xBB, 0xBF, (byte)'{', (byte)'}']).Findings).Message, StringComparison.Ordinal);

    [Fact]
    public void Invalid_utf8_is_refused_where_it_stands()
    {
        byte[] document = [.. "{\n\"é\":\""u8, 0xC3, 0x28, .. "\"}"u8];
        ManifestFinding finding = Assert.Single(Manifest.Validate(document).Findings);
        Assert.Equal(("syntax", 2, 6), (finding.Rule, finding.Line, finding.Column));
        Assert.Equal("the document is not valid UTF-8", finding.Message);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"ImageManifest\"")]
    [InlineData("1")]
    public void A_manifest_is_an_object(string json)
    {
        ManifestReport report = Manifest.Validate(json, ManifestKind.Image);
        Assert.Equal("wrong-type", Assert.Single(report.Findings).Rule);
        Assert.Equal("image manifest", report.KindName);
    }

    [Theory]
    [InlineData("{}", ManifestKind.Auto, "required", "manifest")]
    [InlineData("{\"acKind\":null}", ManifestKind.Auto, "required", "manifest")]
    [InlineData("{\"acKind\":1}", ManifestKind.Auto, "wrong-type", "manifest")]
    [InlineData("{\"acKind\":\"Pod\"}", ManifestKind.Auto, "bad-kind", "manifest")]
    [InlineData("{\"acKind\":\"PodManifest\"}", ManifestKind.Image, "bad-kind", "image manifest")]
    [InlineData("{\"acKind\":\"ImageManifest\"}", ManifestKind.Pod, "bad-kind", "pod manifest")]
    public void The_kind_is_found_out_or_held_to(string json, ManifestKind wanted, string rule, string name)
    {
        ManifestReport report = Manifest.Validate(json, wanted);
        Assert.Equal((rule, name), (Assert.Single(report.Findings).Rule, report.KindName));
        Assert.Throws<ManifestException>(() => report.ToJson());
    }

    [Fact]
    public void A_valid_document_has_its_manifest_and_canonical_json()
    {
        ManifestReport image = Manifest.Validate("""{ "name":"a", "acVersion":"0.8.11", "acKind":"ImageManifest" }""");
        Assert.Equal((ManifestKind.Image, true, "image manifest"), (image.Kind, image.IsValid, image.KindName));
        Assert.Equal("""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a"}""", image.ToJson());
        Assert.Null(image.Pod);

        ManifestReport pod = Manifest.Validate("""{"acKind":"PodManifest","acVersion":"0.8.11","apps":[]}""");
        Assert.Equal((ManifestKind.Pod, true, "pod manifest"), (pod.Kind, pod.IsValid, pod.KindName));
        Assert.Equal("{\n    \"acVersion\": \"0.8.11\",\n    \"acKind\": \"PodManifest\",\n    \"apps\": []\n}", pod.ToJson(indented: true));
        Assert.Null(pod.Image);
    }

    [Fact]
    public void Repeated_members_are_refused_in_every_object()
    {
        ManifestReport report = Manifest.Validate("""
            {"acKind":"PodManifest","acVersion":"0.8.11","apps":[],"x":{"a":1,"\u0061":2},
             "isolators":[{"name":"v/x","value":[{"b":1,"c":2,"b":3}]}]}
            """);
        Assert.Equal(["$.x.a duplicate-member", "$.isolators[0].value[0].b duplicate-member"], report.Findings.Select(finding => $"{finding.Path} {finding.Rule}"));

        StringBuilder many = new("{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[]");
        for (int index = 0; index < 100; index++)
        {
            many.Append($",\"m{index % 99}\":{index}");
        }

        Assert.Equal("$.m0", Assert.Single(Manifest.Validate(many.Append('}').ToString()).Findings).Path);
    }

    [Fact]
    public void Both_spellings_of_one_member_are_a_repeated_member()
    {
        const string json = """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","app":{"user":"0","group":"0","supplementaryGids":[1],"supplementaryGIDs":[2]}}""";
        Assert.Equal("duplicate-member", Assert.Single(Manifest.Validate(json).Findings).Rule);
    }

    [Fact]
    public void Lone_surrogates_become_the_replacement_character()
    {
        ImageManifest manifest = ImageManifest.Parse("""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","annotations":[{"name":"x","value":"\ud83d\ude00 \udc00\ud800 \b\f\n\r\t\/\\\""}]}""");
        Assert.Equal("\U0001F600 \uFFFD\uFFFD \b\f\n\r\t/\\\"", manifest.GetAnnotation("x"));
        Assert.Equal(manifest, ImageManifest.Parse(manifest.ToJson()));
    }
}
