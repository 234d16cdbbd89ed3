using System.Text;
using System.Text.Json;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1;

namespace Appc.Core.Tests.Pods;

/// <summary>What lists pick out of a pod's files is what reading them in full gives.</summary>
public sealed class PodOutlineTests
{
    private static readonly string s_id = "sha512-" + new string('a', 128);

    private static readonly PodRecord s_record = new()
    {
        Stage1 = "nspawn",
        Created = new DateTimeOffset(2024, 2, 29, 12, 30, 1, 234, TimeSpan.FromHours(2)),
        Options = new Stage1Options { Hostname = "apps" },
        Apps = [new PodRecordApp("web", ["/layers/apps"], [s_id])],
        Name = "a \"name\" \u00e9",
        Labels = new Dictionary<string, string> { ["mutable"] = "true", ["tier"] = "front\n" },
        Mutable = true,
    };

    private static readonly string s_manifest = $$"""
        {"acKind":"PodManifest","acVersion":"0.8.11","annotations":[{"name":"apps","value":"[]"}],
         "apps":[{"name":"web","image":{"labels":[{"name":"os","value":"linux"}],"id":"{{s_id}}"},
                  "app":{"exec":["/x"],"user":"0","group":"0","environment":[{"name":"name","value":"other"}]},
                  "annotations":[{"name":"appc.io/executor/supports-systemd-notify","value":"true"}]},
                 {"annotations":[{"value":"always","name":"{{RestartPolicy.AnnotationName}}"}],"image":{"id":"{{s_id}}"},"name":"d\u0062"}],
         "volumes":[{"name":"data","kind":"empty"}]}
        """;

    [Fact]
    public void It_says_what_the_files_say()
    {
        PodOutline picked = PodOutline.Read(Record(s_record), Encoding.UTF8.GetBytes(s_manifest));
        PodOutline full = PodOutline.Of(s_record, PodManifest.Parse(s_manifest));

        Assert.Equal((full.Stage1, full.Created, full.Name, full.Mutable), (picked.Stage1, picked.Created, picked.Name, picked.Mutable));
        Assert.Equal(full.Labels, picked.Labels);
        Assert.Equal(full.Apps, picked.Apps);
        Assert.Equal([("web", true, false), ("db", false, true)], picked.Apps.Select(a => (a.Name.ToString(), a.Announces, a.Restarts)));
    }

    [Fact]
    public void A_pod_without_name_and_labels_has_none()
    {
        PodOutline picked = PodOutline.Read(Record(s_record with { Name = null, Labels = null, Mutable = false }), Encoding.UTF8.GetBytes(s_manifest));
        Assert.Null(picked.Name);
        Assert.Null(picked.Labels);
        Assert.False(picked.Mutable);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"stage1":"fly","created":"2024""")]
    [InlineData("""{"stage1":"fly","created":"yesterday"}""")]
    [InlineData("""{"stage1":7,"created":"2024-02-29T12:00:00Z"}""")]
    [InlineData("""{"created":"2024-02-29T12:00:00Z"}""")]
    [InlineData("""{"version":2,"stage1":"fly","created":"2024-02-29T12:00:00Z"}""")]
    public void A_record_that_cannot_be_read_counts_as_none(string text) =>
        Assert.Same(PodOutline.Unreadable, PodOutline.Read(Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(s_manifest)));

    [Theory]
    [InlineData("")]
    [InlineData("{\"apps\":{}}")]
    [InlineData("{\"apps\":[{\"name\":\"web\"}]}")]
    [InlineData("{\"apps\":[{\"name\":\"Not a name\",\"image\":{\"id\":\"sha512-00\"}}]}")]
    public void A_manifest_that_cannot_be_read_gives_no_apps(string text)
    {
        PodOutline picked = PodOutline.Read(Record(s_record), Encoding.UTF8.GetBytes(text));
        Assert.Equal("nspawn", picked.Stage1);
        Assert.Empty(picked.Apps);
    }

    private static byte[] Record(PodRecord record) => JsonSerializer.SerializeToUtf8Bytes(record, PodRecordContext.Default.PodRecord);
}
