using Appc.Manifests;

namespace Appc.Stage1.Limits;

public sealed class ResourceLimitsTests
{
    [Fact]
    public void Limits_come_from_the_isolators_and_the_last_of_a_name_counts()
    {
        ResourceLimits limits = Read(
            ("resource/memory", """{"limit":"1G"}"""), ("resource/memory", """{"request":"16Mi","limit":"64Mi"}"""),
            ("resource/cpu", """{"request":"250m","limit":"1500m"}"""), ("resource/block-iops", """{"default":true,"limit":"1000"}"""));
        Assert.Equal((64L << 20, 16L << 20), (limits.Memory, limits.MemoryRequest));
        Assert.Equal((1500L, 256L), (limits.Cpu, limits.CpuShares));
        Assert.Equal((null, 1000L), (limits.BlockBytes, limits.BlockOperations));
        Assert.Equal(512, Read(("resource/cpu", """{"request":"4"}"""), ("os/linux/cpu-shares", "512")).CpuShares);
        Assert.All(LimitHost.Controllers, c => Assert.True(limits.Concern(c) && !Read().Concern(c)));
        Assert.Throws<LaunchException>(() => Read(("resource/memory", """{"limit":"0"}""")));
    }

    [Fact]
    public void A_request_that_is_not_said_is_the_limit()
    {
        ResourceLimits limits = Read(("resource/memory", """{"limit":"64M"}"""), ("resource/cpu", """{"limit":"2"}"""));
        Assert.Equal((64_000_000L, 2048L), (limits.MemoryRequest, limits.CpuShares));
        Assert.Equal(512, Read(("resource/cpu", """{"limit":"2"}"""), ("os/linux/cpu-shares", "512")).CpuShares);
        Assert.Equal((null, null), (Read().MemoryRequest, Read().CpuShares));
    }

    [Theory]
    [InlineData("1.5Gi", 1_610_612_736)]
    [InlineData("1e3", 1000)]
    [InlineData("100m", 1)]
    [InlineData("1Ei", 1L << 60)]
    [InlineData("8E", 8_000_000_000_000_000_000)]
    public void Quantities_of_any_form_are_whole_bytes(string text, long bytes) =>
        Assert.Equal(bytes, Read(("resource/memory", $$"""{"limit":"{{text}}"}""")).Memory);

    [Fact]
    public void Disks_are_listed_that_have_a_number_and_a_size()
    {
        string directory = Directory.CreateTempSubdirectory("appc-disks-").FullName;
        try
        {
            foreach ((string name, string? size, string? device) in ((string, string?, string?)[])
                [("sda", "1000\n", "8:0\n"), ("loop0", "0\n", "7:0\n"), ("nvme0n1", "2000\n", "259:0\n"), ("nvme0c0n1", "2000\n", null), ("gone", null, null)])
            {
                Directory.CreateDirectory(Path.Combine(directory, name));
                Write("size", size);
                Write("dev", device);

                void Write(string file, string? text)
                {
                    if (text is not null)
                    {
                        File.WriteAllText(Path.Combine(directory, name, file), text);
                    }
                }
            }

            Assert.Equal(["259:0", "8:0"], LimitFiles.Disks(directory).Order(StringComparer.Ordinal));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void Of_several_isolators_of_a_name_all_but_the_last_are_told_to_be_ignored()
    {
        Isolator[] two = Isolators(("os/linux/oom-score-adj", "1"), ("os/linux/oom-score-adj", "2"));
        PodManifest manifest = new() { Apps = [AppOf("one", ("os/linux/oom-score-adj", "3")), new RuntimeApp { Name = AcName.Parse("two"), App = new App { Exec = ["/bin/true"], Isolators = two } }] };
        using Nspawn.NspawnStage1 stage1 = new();
        UnenforcedIsolator ignored = Assert.Single(stage1.FindUnenforced(manifest, new Stage1Options()));
        Assert.Same(two[0], ignored.Isolator);
        Assert.Contains("the last one counts", ignored.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bound_is_never_widened()
    {
        ResourceLimits pod = Read(("resource/memory", """{"limit":"64M"}"""), ("resource/cpu", """{"limit":"1"}"""));
        ResourceLimits both = pod.Within(Read(("resource/memory", """{"limit":"128M","request":"1M"}"""), ("resource/cpu", """{"limit":"500m"}""")));
        Assert.Equal((64_000_000L, 1_000_000L, 500L), (both.Memory, both.MemoryRequest, both.Cpu));
    }

    [Theory]
    [InlineData(1, 1000, 1_000_000)]
    [InlineData(5, 1000, 200_000)]
    [InlineData(10, 1000, 100_000)]
    [InlineData(250, 25_000, 100_000)]
    [InlineData(4000, 400_000, 100_000)]
    [InlineData(long.MaxValue, 20_000_000_000, 100_000)]
    public void A_share_of_processors_is_a_quota_that_the_kernel_takes(long milli, long quota, long period) =>
        Assert.Equal((quota, period), LimitFiles.Quota(milli));

    [Fact]
    public void The_files_of_version_2_are_written()
    {
        string directory = Directory.CreateTempSubdirectory("appc-limits-").FullName;
        try
        {
            File.WriteAllText(directory + "/memory.swap.max", "max\n");
            ResourceLimits limits = Read(
                ("resource/memory", """{"limit":"64M","request":"1M"}"""), ("resource/cpu", """{"limit":"1500m"}"""), ("os/linux/cpu-shares", "512"),
                ("resource/block-bandwidth", """{"default":true,"limit":"2M"}"""), ("resource/block-iops", """{"default":true,"limit":"30"}"""));
            foreach (string controller in LimitHost.Controllers)
            {
                LimitFiles.WriteVersion2(directory, controller, limits, ["254:0"]);
            }

            Dictionary<string, string> written = Directory.GetFiles(directory).ToDictionary(f => Path.GetFileName(f), File.ReadAllText);
            Assert.Equal(
                new Dictionary<string, string>
                {
                    ["memory.max"] = "64000000", ["memory.low"] = "1000000", ["memory.swap.max"] = "0", ["cpu.max"] = "150000 100000", ["cpu.weight"] = "50",
                    ["io.max"] = "254:0 rbps=2000000 wbps=2000000 riops=30 wiops=30",
                },
                written);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void What_cannot_be_enforced_is_told_with_owner_reason_and_remedy()
    {
        PodManifest manifest = new()
        {
            Isolators = Isolators(("os/unix/sysctl", """{"net.core.somaxconn":"1","kernel.panic":"1","net.../x":"1"}"""), ("os/linux/oom-score-adj", "1"), ("resource/memory", """{"limit":"1G"}""")),
            Apps =
            [
                AppOf("one", ("resource/block-iops", """{"default":true,"limit":"30"}"""), ("os/linux/no-new-privileges", "true"), ("os/unix/sysctl", """{"net.core.somaxconn":"1"}""")),
                AppOf("two", ("resource/network-bandwidth", """{"default":true,"limit":"1G"}"""), ("example.com/own", "1")),
                WithSocket(AppOf("three", ("resource/network-bandwidth", """{"default":true,"limit":"1G"}"""))),
            ],
        };
        using Nspawn.NspawnStage1 stage1 = new();
        IReadOnlyList<UnenforcedIsolator> found = stage1.FindUnenforced(manifest, new Stage1Options { PrivateUsers = false });
        Assert.Equal(
            [
                (null, "os/unix/sysctl"), (null, "os/linux/oom-score-adj"), ("one", "resource/block-iops"), ("one", "os/unix/sysctl"),
                ("two", "example.com/own"), ("three", "resource/network-bandwidth"),
            ],
            found.Select(f => (f.App?.ToString(), f.Isolator.Name.ToString())));
        Assert.Contains("kernel.panic, net.../x", found[0].Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("somaxconn", found[0].Reason, StringComparison.Ordinal);
        Assert.All(found, f => Assert.NotEmpty(f.Reason));
    }

    private static RuntimeApp AppOf(string name, params (string Name, string Json)[] isolators) =>
        new() { Name = AcName.Parse(name), App = new App { Exec = ["/bin/true"], Isolators = Isolators(isolators) } };

    private static RuntimeApp WithSocket(RuntimeApp app) =>
        app with { App = app.App! with { Ports = [new Port { Name = AcName.Parse("web"), Protocol = "tcp", Number = 80, SocketActivated = true }] } };

    private static ResourceLimits Read(params (string Name, string Json)[] isolators) => ResourceLimits.FromIsolators(Isolators(isolators), "test");

    private static Isolator[] Isolators(params (string Name, string Json)[] isolators) => [.. isolators.Select(i => Isolator.Create(i.Name, i.Json))];
}
