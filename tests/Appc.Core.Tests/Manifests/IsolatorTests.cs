using Appc.Manifests;

namespace Appc.Core.Tests.Manifests;

public sealed class IsolatorTests
{
    [Fact]
    public void Isolators_made_in_code_have_their_json()
    {
        Assert.Equal("""{"request":"250m","limit":"500m"}""", new CpuIsolator(Quantity.Parse("0.5"), Quantity.OfMilli(250)).ValueJson);
        Assert.Equal("""{"limit":"512Mi"}""", new MemoryIsolator(Quantity.OfBytes(512 << 20)).ValueJson);
        Assert.Equal("""{"default":true,"limit":"2M"}""", new BlockBandwidthIsolator(Quantity.Parse("2M")).ValueJson);
        Assert.Equal("""{"default":true,"limit":"1k"}""", new BlockIopsIsolator(Quantity.Of(1000)).ValueJson);
        Assert.Equal("""{"default":true,"limit":"1G"}""", new NetworkBandwidthIsolator(Quantity.Parse("1G")).ValueJson);
        Assert.Equal("""{"set":["CAP_KILL","CAP_CHOWN"]}""", new CapabilitiesRetainSetIsolator("CAP_KILL", "CAP_CHOWN").ValueJson);
        Assert.Equal("""{"set":["CAP_KILL"]}""", new CapabilitiesRemoveSetIsolator("CAP_KILL").ValueJson);
        Assert.Equal("""{"set":["reboot"],"errno":"ENOTSUP"}""", new SeccompRemoveSetIsolator(["reboot"], "ENOTSUP").ValueJson);
        Assert.Equal("""{"set":["read"]}""", new SeccompRetainSetIsolator(["read"], "").ValueJson);
        Assert.Equal("true", new NoNewPrivilegesIsolator(true).ValueJson);
        Assert.Equal("1024", new CpuSharesIsolator(1024).ValueJson);
        Assert.Equal("-1000", new OomScoreAdjIsolator(-1000).ValueJson);
        Assert.Equal("""{"user":"u","role":"r","type":"t","level":"s0:c1"}""", new SelinuxContextIsolator("u", "r", "t", "s0:c1").ValueJson);
        Assert.Equal("""{"profile":"rkt-default"}""", new AppArmorProfileIsolator("rkt-default").ValueJson);
        Assert.Equal("""{"net.ipv4.ip_forward":"1"}""", new SysctlIsolator([new("net.ipv4.ip_forward", "1")]).ValueJson);
    }

    [Fact]
    public void Isolators_made_in_code_are_held_to_the_rules()
    {
        Assert.Throws<ManifestException>(() => new CapabilitiesRetainSetIsolator());
        Assert.Throws<ManifestException>(() => new CapabilitiesRemoveSetIsolator(null!, "CAP_KILL"));
        Assert.Throws<ManifestException>(() => new SeccompRetainSetIsolator([]));
        Assert.Throws<ManifestException>(() => new SeccompRemoveSetIsolator(["read"], "eperm"));
        Assert.Throws<ManifestException>(() => new CpuSharesIsolator(1));
        Assert.Throws<ManifestException>(() => new OomScoreAdjIsolator(1001));
        Assert.Throws<ManifestException>(() => new SelinuxContextIsolator("u:", "r", "t", "s0"));
        Assert.Throws<ManifestException>(() => new SelinuxContextIsolator("u", null!, "t", "s0"));
        Assert.Throws<ManifestException>(() => new AppArmorProfileIsolator(""));
        Assert.Throws<ManifestException>(() => new SysctlIsolator([new("a", "1"), new("a", "2")]));
        Assert.Throws<ManifestException>(() => new Isolator(AcIdentifier.Parse("a"), "{"));
        Assert.Equal(
            "invalid value of isolator os/linux/cpu-shares: $ (line 1, column 1): must be from 2 to 262144, found 1 [ace.md: Linux Isolators]",
            Assert.Throws<ManifestException>(() => Isolator.Create(IsolatorNames.CpuShares, "1")).Message);
    }

    [Theory]
    [InlineData(IsolatorNames.Cpu, "{\"default\":1,\"limit\":{},\"request\":\"x\"}", 3)]
    [InlineData(IsolatorNames.Cpu, "{\"default\":true}", 1)]
    [InlineData(IsolatorNames.BlockIops, "{\"request\":\"1\"}", 2)]
    [InlineData(IsolatorNames.SeccompRetainSet, "{\"set\":[1,null],\"errno\":\"x\"}", 3)]
    [InlineData(IsolatorNames.SelinuxContext, "{\"user\":\"\",\"role\":1,\"level\":null}", 4)]
    [InlineData(IsolatorNames.AppArmorProfile, "{}", 1)]
    [InlineData(IsolatorNames.AppArmorProfile, "[]", 1)]
    [InlineData(IsolatorNames.SelinuxContext, "[]", 1)]
    [InlineData(IsolatorNames.Sysctl, "null", 1)]
    [InlineData(IsolatorNames.CpuShares, "null", 1)]
    [InlineData(IsolatorNames.NoNewPrivileges, "null", 1)]
    [InlineData(IsolatorNames.CapabilitiesRetainSet, "7", 1)]
    public void Every_fault_of_a_value_is_reported(string name, string value, int faults) =>
        Assert.Equal(faults, Assert.Throws<ManifestException>(() => Isolator.Create(name, value)).Findings.Count);

    [Fact]
    public void Known_names_give_their_records_and_others_are_kept()
    {
        Assert.IsType<MemoryIsolator>(Isolator.Create(IsolatorNames.Memory, """{ "limit": 5 }"""));
        Isolator other = Isolator.Create("vendor.example/x", """{ "b": [ 1.0 ], "a": "\u00e9 x" }""");
        Assert.Equal(typeof(Isolator), other.GetType());
        Assert.Equal("""{"b":[1.0],"a":"\u00e9 x"}""", other.ValueJson);
    }

    [Fact]
    public void Wildcards_and_system_calls_are_told_apart()
    {
        SeccompRetainSetIsolator isolator = new(["read", SeccompIsolator.All, "@docker/default-whitelist"]);
        Assert.Equal(["read"], isolator.SystemCalls);
        Assert.Equal(["@appc.io/all", "@docker/default-whitelist"], isolator.Wildcards);
        Assert.Equal("@appc.io/empty", SeccompIsolator.Empty);
        Assert.Equal(14, CapabilitySetIsolator.DefaultSet.Count);
    }

    [Fact]
    public void Isolators_are_equal_by_value()
    {
        Assert.Equal(Isolator.Create(IsolatorNames.Cpu, """{ "limit" : "1" }"""), new CpuIsolator(Quantity.Of(1)));
        Assert.NotEqual(Isolator.Create(IsolatorNames.Cpu, """{"limit":"2"}"""), new CpuIsolator(Quantity.Of(1)));
        Assert.NotEqual<Isolator>(new CapabilitiesRetainSetIsolator("CAP_KILL"), new CapabilitiesRemoveSetIsolator("CAP_KILL"));
    }

    [Fact]
    public void What_cannot_stand_together_is_found_in_code_and_in_documents()
    {
        App app = new()
        {
            Isolators =
            [
                new SeccompRetainSetIsolator(["read"]), new SeccompRemoveSetIsolator(["read"]), new SeccompRetainSetIsolator(["write"]),
                new CapabilitiesRemoveSetIsolator("CAP_KILL"), new CapabilitiesRetainSetIsolator("CAP_KILL"),
                new CpuIsolator(Quantity.Of(1)), new CpuIsolator(Quantity.Of(2)), new OomScoreAdjIsolator(0), new OomScoreAdjIsolator(0),
            ],
        };
        string[] expected =
        [
            "$.app.isolators[1].name conflicting-isolators",
            "$.app.isolators[2].name duplicate-isolator",
            "$.app.isolators[2].name conflicting-isolators",
            "$.app.isolators[4].name conflicting-isolators",
            "$.app.isolators[8].name duplicate-isolator",
        ];
        ImageManifest manifest = new() { Name = AcIdentifier.Parse("a"), App = app };
        Assert.Equal(expected, manifest.Validate().Select(finding => $"{finding.Path} {finding.Rule}"));

        string list = string.Join(',', app.Isolators.Select(isolator => $$"""{"name":"{{isolator.Name}}","value":{{isolator.ValueJson}} }"""));
        ManifestReport report = Manifest.Validate($$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","app":{"user":"0","group":"0","isolators":[{{list}}]} }""");
        Assert.Equal(expected, report.Findings.Select(finding => $"{finding.Path} {finding.Rule}"));
    }
}
