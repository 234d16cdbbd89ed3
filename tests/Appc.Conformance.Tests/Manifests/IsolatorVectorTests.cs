using System.Text.Json.Nodes;
using Appc.Manifests;

namespace Appc.Conformance.Tests.Manifests;

/// <summary>Every case of the isolator vectors, in a manifest of the kind that the case is about.</summary>
public sealed class IsolatorVectorTests
{
    public static TheoryData<string, string> Agreed => Vectors.Rows("isolators.jsonl");

    public static TheoryData<string, string> Deviations => Vectors.Rows("isolators.deviations.jsonl");

    [Theory]
    [MemberData(nameof(Agreed))]
    public void Isolators_are_read_as_the_vectors_say(string id, string context)
    {
        JsonObject record = Vectors.Find("isolators.jsonl", id);
        Check(context, Vectors.Text(record, "input"), Vectors.Text(record, "verdict"), record["decoded"]);
    }

    [Theory]
    [MemberData(nameof(Deviations))]
    public void Isolators_follow_the_specification_where_the_reference_does_not(string id, string context)
    {
        JsonObject record = Vectors.Find("isolators.deviations.jsonl", id);
        bool open = Vectors.Text(record, "recommend") == "either";
        JsonNode? decoded = Vectors.Text(record, "recommend") == "reference" ? record["reference"]!["decoded"] : null;
        Check(context, Vectors.Text(record, "input"), open ? null : Vectors.Text(record, "recommended"), decoded);
    }

    private static void Check(string context, string input, string? verdict, JsonNode? decoded)
    {
        IReadOnlyList<Isolator> isolators;
        try
        {
            isolators = context == "app"
                ? ImageManifest.Parse($$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","app":{"user":"0","group":"0","isolators":{{input}} } }""").App!.Isolators
                : PodManifest.Parse($$"""{"acKind":"PodManifest","acVersion":"0.8.11","apps":[],"isolators":{{input}} }""").Isolators;
            Assert.NotEqual("reject", verdict);
        }
        catch (ManifestException exception)
        {
            Assert.True(verdict != "accept", exception.Message);
            return;
        }

        if (decoded is null)
        {
            return;
        }

        Assert.Equal(decoded.AsArray().Count, isolators.Count);
        for (int index = 0; index < isolators.Count; index++)
        {
            Same(decoded[index]!.AsObject(), isolators[index]);
            JsonNode value = JsonNode.Parse(input)!.AsArray()[index]!["value"] is { } node ? node : JsonValue.Create((string?)null)!;
            Assert.Null(SameJson.Difference(value, JsonNode.Parse(isolators[index].ValueJson), strict: true));
        }
    }

    private static void Same(JsonObject expected, Isolator isolator)
    {
        Assert.Equal((string)expected["name"]!, isolator.Name.ToString());
        Assert.Equal((bool)expected["known"]!, isolator.GetType() != typeof(Isolator));
        switch (isolator)
        {
            case ResourceIsolator resource:
                QuantityVectorTests.Same(expected["request"], resource.Request);
                QuantityVectorTests.Same(expected["limit"], resource.Limit);
                Assert.Equal((bool)expected["default"]!, resource is BlockBandwidthIsolator or BlockIopsIsolator or NetworkBandwidthIsolator);
                break;
            case CapabilitySetIsolator capabilities:
                Assert.Equal(Texts(expected["set"]), capabilities.Set);
                break;
            case SeccompIsolator seccomp:
                Assert.Equal(Texts(expected["set"]), seccomp.Set);
                Assert.Equal((string)expected["errno"]!, seccomp.Errno ?? "");
                break;
            case NoNewPrivilegesIsolator setting:
                Assert.Equal((bool)expected["value"]!, setting.Enabled);
                break;
            case CpuSharesIsolator shares:
                Assert.Equal((int)expected["value"]!, shares.Shares);
                break;
            case OomScoreAdjIsolator score:
                Assert.Equal((int)expected["value"]!, score.Score);
                break;
            case SelinuxContextIsolator selinux:
                Assert.Equal(
                    [(string)expected["user"]!, (string)expected["role"]!, (string)expected["type"]!, (string)expected["level"]!],
                    new[] { selinux.User, selinux.Role, selinux.Type, selinux.Level });
                break;
            case AppArmorProfileIsolator profile:
                Assert.Equal((string)expected["profile"]!, profile.Profile);
                break;
            case SysctlIsolator sysctl:
                Assert.Equal(expected["entries"]!.AsObject().ToDictionary(entry => entry.Key, entry => (string)entry.Value!), sysctl.Entries.ToDictionary());
                break;
            default:
                Assert.Equal(typeof(Isolator), isolator.GetType());
                break;
        }
    }

    private static string[] Texts(JsonNode? list) => [.. list!.AsArray().Select(item => (string)item!)];
}
