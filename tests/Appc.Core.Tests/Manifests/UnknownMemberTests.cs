using System.Text.Json.Nodes;
using Appc.Manifests;

namespace Appc.Core.Tests.Manifests;

public sealed class UnknownMemberTests
{
    private const string Image = """
        {"zeta":1.50E+2,"acKind":"ImageManifest","acVersion":"0.8.11","name":"a",
         "labels":[{"name":"x","value":"y","l2":null,"l1":[ 1, 2 ]}],
         "app":{"user":"0","group":"0","a":{"b" : "c d"},
           "eventHandlers":[{"name":"pre-start","exec":[],"e":1}],
           "environment":[{"name":"A","value":"","v":2}],
           "mountPoints":[{"name":"m","path":"/m","mp":3}],
           "ports":[{"name":"p","protocol":"tcp","port":1,"po":4}],
           "isolators":[{"name":"resource/cpu","value":{"limit":"1","odd":[ ]},"i":5}]},
         "dependencies":[{"imageName":"b","d":6}],
         "annotations":[{"name":"n","value":"v","an":7}],
         "alpha":"\u00e9\/"}
        """;

    private const string Pod = """
        {"acKind":"PodManifest","acVersion":"0.8.11","u":0,
         "apps":[{"name":"a","r":1,"image":{"id":"sha512-ID","ri":2},"mounts":[{"volume":"v","path":"/","m":3,
           "appVolume":{"name":"w","kind":"host","source":"/s","av":4}}]}],
         "volumes":[{"name":"v","kind":"empty","vo":5}],
         "ports":[{"name":"p","hostPort":1,"ep":6,"podPort":{"name":"q","protocol":"","port":2,"pp":7}}]}
        """;

    [Fact]
    public void Unknown_members_keep_their_order_and_spelling()
    {
        ImageManifest manifest = ImageManifest.Parse(Image);
        Assert.Equal([new UnknownMember("zeta", "1.50E+2"), new UnknownMember("alpha", "\"\\u00e9\\/\"")], manifest.UnknownMembers);
        Assert.Equal([new UnknownMember("l2", "null"), new UnknownMember("l1", "[1,2]")], manifest.Labels[0].UnknownMembers);
        Assert.Equal("""{"limit":"1","odd":[]}""", manifest.App!.Isolators[0].ValueJson);
        Assert.EndsWith("\"zeta\":1.50E+2,\"alpha\":\"\\u00e9\\/\"}", manifest.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_members_survive_in_every_object()
    {
        Survive(JsonNode.Parse(Image)!, JsonNode.Parse(ImageManifest.Parse(Image).ToJson())!, "$");
        string pod = Pod.Replace("ID", new string('a', 128), StringComparison.Ordinal);
        Survive(JsonNode.Parse(pod)!, JsonNode.Parse(PodManifest.Parse(pod).ToJson())!, "$");
    }

    [Fact]
    public void Unknown_members_put_in_by_code_are_checked()
    {
        ImageManifest manifest = new() { Name = AcIdentifier.Parse("a") };
        Assert.Empty((manifest with { UnknownMembers = [new("x", "{}"), new("y", " [ 1 ]")] }).Validate());
        Assert.Equal(
            ["$.x syntax", "$.y duplicate-member", "$ required"],
            (manifest with { UnknownMembers = [new("x", "{"), new("y", "1"), new("y", "2"), new("z", null!)] }).Validate().Select(finding => $"{finding.Path} {finding.Rule}"));
        Assert.Equal("duplicate-member", Assert.Single((manifest with { UnknownMembers = [new("labels", "[]")] }).Validate()).Rule);
    }

    private static void Survive(JsonNode expected, JsonNode actual, string path)
    {
        switch (expected)
        {
            case JsonObject members:
                foreach ((string name, JsonNode? value) in members)
                {
                    // Members that are empty lists say nothing, and are not written.
                    if (value is JsonArray { Count: 0 } && name == "exec")
                    {
                        continue;
                    }

                    Assert.True(actual.AsObject().ContainsKey(name), $"{path}.{name}");
                    if (value is not null)
                    {
                        Survive(value, actual[name]!, $"{path}.{name}");
                    }
                }

                break;
            case JsonArray items:
                for (int index = 0; index < items.Count; index++)
                {
                    Survive(items[index]!, actual[index]!, $"{path}[{index}]");
                }

                break;
            default:
                Assert.Equal(expected.ToJsonString(), actual.ToJsonString());
                break;
        }
    }
}
