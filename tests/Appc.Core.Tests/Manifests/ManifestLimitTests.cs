using System.Text;
using Appc.Manifests;

namespace Appc.Core.Tests.Manifests;

public sealed class ManifestLimitTests
{
    [Theory]
    [InlineData('[', ']')]
    [InlineData('{', '}')]
    public void Depth_of_a_hundred_thousand_levels_is_one_fault(char open, char close)
    {
        string level = open == '{' ? "{\"a\":" : "[";
        StringBuilder json = new("{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[],\"x\":");
        json.Insert(json.Length, level, 100_000).Append('1').Append(close, 100_000).Append('}');
        ManifestFinding finding = Assert.Single(Manifest.Validate(json.ToString()).Findings);
        Assert.Equal("limit", finding.Rule);
        Assert.Equal("the document is nested deeper than 64 levels", finding.Message);
    }

    [Fact]
    public void Depth_up_to_the_limit_is_read()
    {
        static string Nested(int levels) =>
            "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[],\"x\":" + new string('[', levels - 1) + new string(']', levels - 1) + "}";

        Assert.True(Manifest.Validate(Nested(64)).IsValid);
        Assert.False(Manifest.Validate(Nested(65)).IsValid);
        Assert.True(Manifest.Validate(Nested(500), limits: new ManifestLimits { MaxDepth = 500 }).IsValid);
        Assert.False(Manifest.Validate(Nested(501), limits: new ManifestLimits { MaxDepth = 500 }).IsValid);
    }

    [Fact]
    public void Fifty_megabytes_are_refused_unread()
    {
        byte[] document = new byte[50_000_000];
        ManifestFinding finding = Assert.Single(Manifest.Validate(document).Findings);
        Assert.Equal("limit", finding.Rule);
        Assert.Contains("50000000 bytes", finding.Message, StringComparison.Ordinal);
        Assert.Throws<ManifestException>(() => ImageManifest.Parse(document));
        Assert.Throws<ManifestException>(() => PodManifest.Parse(document, new ManifestLimits { MaxBytes = 10 }));
    }

    [Fact]
    public void Values_are_counted()
    {
        string json = "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[],\"x\":[" + string.Join(',', Enumerable.Repeat("0", 1000)) + "]}";
        Assert.True(Manifest.Validate(json).IsValid);
        Assert.True(Manifest.Validate(json, limits: new ManifestLimits { MaxValues = 1005 }).IsValid);
        Assert.Equal("limit", Assert.Single(Manifest.Validate(json, limits: new ManifestLimits { MaxValues = 1004 }).Findings).Rule);
    }

    [Fact]
    public void Faults_beyond_the_most_are_only_mentioned()
    {
        string json = "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a\",\"pathWhitelist\":[" + string.Join(',', Enumerable.Repeat("0", 5000)) + "]}";
        IReadOnlyList<ManifestFinding> findings = Manifest.Validate(json).Findings;
        Assert.Equal(1001, findings.Count);
        Assert.Equal("limit", findings[^1].Rule);
        Assert.Equal(11, Manifest.Validate(json, limits: new ManifestLimits { MaxFindings = 10 }).Findings.Count);
    }

    [Fact]
    public void A_large_object_of_unknown_members_is_read_and_kept()
    {
        string json = "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[]," + string.Join(',', Enumerable.Range(0, 50_000).Select(index => $"\"m{index}\":{index}")) + "}";
        PodManifest manifest = PodManifest.Parse(json);
        Assert.Equal(50_000, manifest.UnknownMembers.Count);
        Assert.Equal(manifest, PodManifest.Parse(manifest.ToJsonBytes()));
    }

    [Fact]
    public void What_was_read_within_wider_limits_can_be_written()
    {
        string deep = new string('[', 1000) + new string(']', 1000);
        string json = "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[],\"isolators\":[{\"name\":\"v/x\",\"value\":" + deep + "}],\"x\":" + deep + "}";
        ManifestLimits limits = new() { MaxDepth = 2000 };
        PodManifest manifest = PodManifest.Parse(Encoding.UTF8.GetBytes(json), limits);
        Assert.Equal(manifest, PodManifest.Parse(manifest.ToJsonBytes(), limits));
        Assert.Equal(deep, Isolator.Create("v/x", deep).ValueJson);
    }

    [Fact]
    public void A_document_that_is_nothing_but_faults_costs_no_more_than_its_size()
    {
        // On one line, beyond ASCII, with faults that are found in several passes.
        StringBuilder json = new("{\"acKind\":\"ImageManifest\",\"acVersion\":\"é\",\"name\":\"a\",\"labels\":[");
        for (int index = 0; index < 60_000; index++)
        {
            json.Append(index == 0 ? "" : ",").Append("{\"name\":\"name\",\"value\":\"é\"}");
        }

        json.Append("],\"annotations\":[null").Insert(json.Length, ",{}", 60_000).Append("]}");
        IReadOnlyList<ManifestFinding> findings = Manifest.Validate(json.ToString()).Findings;
        Assert.Equal(1001, findings.Count);
        Assert.Equal(findings.Take(1000).OrderBy(finding => finding.Column), findings.Take(1000));
    }
}
