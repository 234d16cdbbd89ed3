using Appc.Manifests;
using Appc.Stage1.Isolation;
using Appc.Stage1.Nspawn;

namespace Appc.Stage1.Limits;

/// <summary>What an nspawn pod is given on a host of version 2, on control groups of plain files.</summary>
public sealed class PodLimitsTests(NspawnFixture fixture) : IDisposable
{
    private readonly NspawnPod _pod = new(fixture);
    private readonly string _parent = Directory.CreateTempSubdirectory("appc-cgroup-").FullName;

    public void Dispose()
    {
        _pod.Dispose();
        Directory.Delete(_parent, recursive: true);
    }

    [Fact]
    public void On_version_2_the_systemd_inside_limits_the_apps_and_the_pods_group_all_of_them()
    {
        _pod.Isolators = [NspawnPod.Isolator("resource/memory", """{"limit":"1G"}""")];
        _pod.Shell("true", a => a with
        {
            Isolators =
            [
                NspawnPod.Isolator("resource/memory", """{"limit":"64M","request":"16M"}"""), NspawnPod.Isolator("resource/cpu", """{"limit":"125m"}"""),
                NspawnPod.Isolator("resource/block-iops", """{"default":true,"limit":"30"}"""),
            ],
            EventHandlers = [new EventHandlerSpec("pre-start", ["/bin/true"]), new EventHandlerSpec("post-stop", ["/bin/true"])],
        });
        string units = Prepare(["memory", "cpu", "io"]);

        Assert.Equal("+memory +cpu +io", File.ReadAllText(_parent + "/cgroup.subtree_control"));
        Assert.Equal(("1000000000", "16000000"), (Read("memory.max"), Read("memory.low")));
        Assert.EndsWith(" riops=30 wiops=30", Read("io.max"), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_parent, "pod/cpu.max")));
        foreach (string unit in (string[])["app-main.service", "pre-start-main.service", "post-stop-main.service"])
        {
            Assert.Equal(
                "[Unit]\n[Service]\nMemoryMax=64000000\nMemorySwapMax=0\nMemoryLow=16000000\nCPUQuota=12.5%\n",
                File.ReadAllText(Path.Combine(units, unit + ".d/limits.conf")));
        }

        // Nothing is frozen, moved or recorded: that is for version 1.
        Assert.Empty(Directory.GetFiles(units, "limit-*"));
        Assert.Empty(_pod.Limits);
        Assert.False(Directory.Exists(Path.Combine(_parent, "pod/payload")));
    }

    [Fact]
    public void What_the_host_lacks_is_left_out()
    {
        _pod.Shell("true", a => a with { Isolators = [NspawnPod.Isolator("resource/memory", """{"limit":"64M"}"""), NspawnPod.Isolator("os/linux/cpu-shares", "2048")] });
        string units = Prepare(["cpu"]);
        Assert.Equal("+cpu", File.ReadAllText(_parent + "/cgroup.subtree_control"));
        Assert.Equal("[Unit]\n[Service]\nCPUWeight=200\n", File.ReadAllText(Path.Combine(units, "app-main.service.d/limits.conf")));
        Assert.Empty(Directory.GetFiles(Path.Combine(_parent, "pod")));
    }

    private string Read(string file) => File.ReadAllText(Path.Combine(_parent, "pod", file));

    /// <summary>Prepares the pod for a host with these controllers; returns the directory of its units.</summary>
    private string Prepare(string[] controllers)
    {
        LimitHost host = new(new Dictionary<string, string>(), new DelegatedGroup(_parent, controllers));
        Stage1Pod pod = _pod.Describe();
        PodPaths paths = new(pod);
        PodLimits limits = PodLimits.Decide(pod, "test", host);
        Assert.Equal(_parent, limits.Parent);
        new PodFilesWriter(pod).MakeDirectories();
        string group = Directory.CreateDirectory(Path.Combine(_parent, "pod")).FullName;
        using ImageTree image = new(pod.Apps[0].Layers, "test");
        limits.Prepare([NspawnApp.Resolve(pod, pod.Apps[0], image, "test")], paths, group, 1 << 20);
        return paths.Units;
    }
}
