using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Nspawn;
using Appc.Trust;

namespace Appc.Testing;

/// <summary>Pods as other people's tests use them.</summary>
public sealed class TestPodTests : IDisposable
{
    private const string Serve = "busybox head -c 1000 /dev/zero | busybox tr '\\0' x > /tmp/page; sleep 0.3; exec busybox httpd -f -p 8080 -h /tmp";

    private readonly string _directory = Directory.CreateTempSubdirectory("appc-testpod-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_service_is_reached_once_it_is_ready_and_gone_after_the_test()
    {
        TestPodOptions options = Options();
        string uuid;
        await using (TestPod web = await TestPod.StartAsync(await ImageAsync(Serve, [new Port { Name = AcName.Parse("http"), Number = 8080 }]), options))
        {
            uuid = web.Pod.Uuid;
            using HttpClient client = new();
            Assert.Equal(new string('x', 1000), await client.GetStringAsync($"http://{web.EndPointOf(8080)}/page"));
            Assert.Equal(web.EndPointOf(8080), Assert.Single(web.Ports).EndPoint);
            Assert.Throws<ArgumentException>(() => web.EndPointOf(1));
        }

        await using PodRuntime runtime = new PodRuntimeBuilder(options.Root).UseNspawn().Build();
        Assert.DoesNotContain(await runtime.ListAsync(), p => p.Uuid == uuid);
    }

    [Fact]
    public async Task What_does_not_become_ready_is_told_with_its_logs_and_removed()
    {
        TestPodOptions ended = Options();
        ended.Ports.Add(8080);
        PodException failed = await Assert.ThrowsAsync<PodException>(async () => await TestPod.StartAsync(await ImageAsync("echo no database >&2; exit 3"), ended));
        Assert.Equal(PodFailure.NotReady, failed.Failure);
        Assert.Contains("ended", failed.Message, StringComparison.Ordinal);
        Assert.Contains("no database", failed.Message, StringComparison.Ordinal);

        TestPodOptions slow = Options();
        slow.ReadyOutput = "never said";
        slow.ReadyTimeout = TimeSpan.FromSeconds(1);
        failed = await Assert.ThrowsAsync<PodException>(async () => await TestPod.StartAsync(await ImageAsync("echo said; exec sleep 1000"), slow));
        Assert.Contains("'never said'", failed.Message, StringComparison.Ordinal);
        Assert.EndsWith("it wrote: said\n", failed.Message, StringComparison.Ordinal);

        await using PodRuntime runtime = new PodRuntimeBuilder(slow.Root).UseNspawn().Build();
        Assert.Empty(await runtime.ListAsync());
    }

    [Fact]
    public async Task Output_makes_ready_and_the_pod_can_be_changed_before()
    {
        TestPodOptions options = Options();
        options.ReadyOutput = "ready for you";
        options.Change = spec => spec.Apps[0].Environment["WHO"] = "you";
        await using TestPod pod = await TestPod.StartAsync(await ImageAsync("sleep 0.2; echo ready for $WHO; exec sleep 1000"), options);
        Assert.Equal("ready for you\n", await pod.Pod.ReadOutputAsync());
        Assert.Empty(pod.Ports);
    }

    [Fact]
    public async Task An_unsigned_image_is_refused_unless_that_is_asked_for()
    {
        TestPodOptions options = Options();
        options.Trust = null;
        await Assert.ThrowsAnyAsync<AppcException>(async () => await TestPod.StartAsync(await ImageAsync("exit 0"), options));
    }

    private TestPodOptions Options() => new() { Root = Path.Combine(_directory, "data"), Trust = TrustPolicy.Insecure };

    private async Task<string> ImageAsync(string script, IReadOnlyList<Port>? ports = null)
    {
        string rootfs = Path.Combine(_directory, "rootfs");
        foreach (string name in (string[])["bin", "tmp", "proc", "sys", "dev", "run"])
        {
            Directory.CreateDirectory(Path.Combine(rootfs, name));
        }

        if (!File.Exists(Path.Combine(rootfs, "bin/busybox")))
        {
            File.Copy("/bin/busybox", Path.Combine(rootfs, "bin/busybox"));
            File.CreateSymbolicLink(Path.Combine(rootfs, "bin/sh"), "busybox");
            File.CreateSymbolicLink(Path.Combine(rootfs, "bin/sleep"), "busybox");
        }

        string archive = Path.Combine(_directory, Guid.NewGuid().ToString("N") + ".aci");
        ImageManifest manifest = new()
        {
            Name = AcIdentifier.Parse("example.com/test"),
            App = new App { Exec = ["/bin/sh", "-c", script], User = "0", Group = "0", Ports = ports ?? [] },
        };
        await AciWriter.BuildAsync(manifest, rootfs, archive);
        return archive;
    }
}
