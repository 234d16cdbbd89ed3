using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Fly;
using Appc.Stage1.Nspawn;

namespace Appc.Stage1.Isolation;

/// <summary>The files by which programs find names of hosts; no image is ever changed.</summary>
public sealed class NameFileTests(NspawnFixture fixture)
{
    private const string Look = "for f in hosts resolv.conf hostname; do echo \"== $f\"; cat /etc/$f 2>/dev/null; done; stat -c %u:%g:%a /etc/hosts";
    private const string Localhost = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_image_without_them_gets_them_and_the_pods_root_owns_them(bool privateUsers)
    {
        using NspawnPod pod = new(fixture) { Options = new Stage1Options { Hostname = "box", PrivateUsers = privateUsers } };
        pod.Shell(Look + "; echo 10.1.1.1 added >> /etc/hosts && grep -c . /etc/hosts").Shell("cat /etc/hosts", runtime: new RuntimeApp { ReadOnlyRootFs = true });
        Assert.Equal($"== hosts\n{Localhost}127.0.1.1 box\n== resolv.conf\n== hostname\nbox\n0:0:644\n4\n", await pod.RunAsync());
        Assert.Equal(Localhost + "127.0.1.1 box\n", pod.Output("app2"));
        Assert.Equal(["group", "passwd"], Directory.GetFileSystemEntries(Path.Combine(fixture.Image, "etc")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Fly_has_them_too_with_the_hosts_name_servers_as_it_has_the_hosts_network()
    {
        using FlyStage1 stage1 = new();
        using FlyPod pod = new() { Options = new Stage1Options { Hostname = "box" } };
        pod.Shell(Look);
        string servers = File.Exists("/etc/resolv.conf") ? await File.ReadAllTextAsync("/etc/resolv.conf") : "";
        Assert.Equal($"== hosts\n{Localhost}127.0.1.1 box\n== resolv.conf\n{servers}== hostname\nbox\n0:0:644\n", await pod.RunAsync(stage1));

        // A link in the image is replaced in the pod, not followed; an empty file says nothing; another is kept.
        string victim = Path.Combine(pod.Base, "victim");
        await File.WriteAllTextAsync(victim, "untouched");
        File.CreateSymbolicLink(Path.Combine(pod.Layer, "etc/resolv.conf"), "../run/none/stub.conf");
        File.CreateSymbolicLink(Path.Combine(pod.Layer, "etc/hostname"), victim);
        await File.WriteAllTextAsync(Path.Combine(pod.Layer, "etc/hosts"), "");
        pod.Options = pod.Options with { DnsServers = ["192.0.2.1", "2001:db8::1"], DnsSearch = ["example.com", "test"], DnsOptions = ["ndots:2"], HostsEntries = ["10.0.0.5 db db.example.com"] };
        Assert.Equal(
            $"== hosts\n{Localhost}127.0.1.1 box\n10.0.0.5 db db.example.com\n== resolv.conf\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch example.com test\noptions ndots:2\n== hostname\nbox\n0:0:644\n",
            await ContinueAsync());
        Assert.Equal("untouched", await File.ReadAllTextAsync(victim));
        Assert.Equal("", await File.ReadAllTextAsync(Path.Combine(pod.Layer, "etc/hosts")));

        await File.WriteAllTextAsync(Path.Combine(pod.Layer, "etc/hosts"), "10.9.9.9 own\n");
        pod.Options = new Stage1Options { Dns = DnsMode.Image };
        Assert.StartsWith("== hosts\n10.9.9.9 own\n== resolv.conf\n== hostname\n", await ContinueAsync(), StringComparison.Ordinal);
        pod.Options = new Stage1Options { Hostname = "box", Hosts = HostsMode.Host };
        Assert.StartsWith($"== hosts\n{(await File.ReadAllTextAsync("/etc/hosts")).TrimEnd('\n')}\n127.0.1.1 box\n== resolv.conf\n", await ContinueAsync(), StringComparison.Ordinal);

        async Task<string> ContinueAsync()
        {
            int before = pod.Output.Length;
            return (await pod.RunAsync(stage1))[before..];
        }
    }

    [Fact]
    public async Task A_volume_covers_them_and_an_image_whose_etc_is_none_starts()
    {
        using FlyStage1 stage1 = new();
        using FlyPod pod = new();
        string file = Path.Combine(pod.Base, "hosts");
        await File.WriteAllTextAsync(file, "10.7.7.7 mounted\n");
        AcName name = AcName.Parse("hosts");
        pod.Volumes = [new Volume { Name = name, Kind = VolumeKind.Host, Source = file }];
        pod.Runtime = new RuntimeApp { Mounts = [new Mount(name, "/etc/hosts")] };
        pod.Shell("cat /etc/hosts");
        Assert.Equal("10.7.7.7 mounted\n", await pod.RunAsync(stage1));

        using FlyPod strange = new();
        Directory.Delete(Path.Combine(strange.Layer, "etc"), recursive: true);
        strange.Shell("ls -l /etc");
        Assert.Contains(" hosts\n", await strange.RunAsync(stage1), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(strange.Layer, "etc"), "a file");
        strange.Shell("cat /etc");
        Assert.EndsWith("a file", await strange.RunAsync(stage1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_could_not_be_written_is_refused_before()
    {
        await using ServicePods pods = new(fixture);
        AppSpec app = await pods.AppAsync("silent");
        PodSpec spec = new(app) { Options = new Stage1Options { HostsEntries = ["nowhere db", "10.0.0.1"], DnsServers = ["dns.example.com"], DnsSearch = ["a b"] } };
        PodException refused = await Assert.ThrowsAsync<PodException>(() => pods.Runtime.PrepareAsync(spec));
        foreach (string fault in (string[])["'nowhere db'", "'10.0.0.1'", "'dns.example.com'", "'a b'"])
        {
            Assert.Contains(fault, refused.Message, StringComparison.Ordinal);
        }

        // They are kept with the pod, for whoever starts it.
        spec.Options = new Stage1Options { Hosts = HostsMode.Generate, HostsEntries = ["10.0.0.5 db"] };
        await using Pod prepared = await pods.Runtime.PrepareAsync(spec);
        using PodRuntime other = pods.NewRuntime();
        Pod running = await other.RunPreparedAsync(prepared.Uuid);
        Assert.Contains("10.0.0.5 db\n", await ServicePods.ExecAsync(running, null, "/bin/busybox", "cat", "/etc/hosts"), StringComparison.Ordinal);
        await running.StopAsync(TimeSpan.Zero);
        await running.RemoveAsync();
    }
}
