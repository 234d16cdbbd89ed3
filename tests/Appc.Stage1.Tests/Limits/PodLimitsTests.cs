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

        // Who asks for nothing asks for the limit.
        Assert.Equal(("1000000000", "1000000000"), (Read("memory.max"), Read("memory.low")));
        Assert.EndsWith(" riops=30 wiops=30", Read("io.max"), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_parent, "pod/cpu.max")));
        foreach (string unit in (string[])["app-main.service", "pre-start-main.service", "post-stop-main.service"])
        {
            Assert.Equal(
                "[Unit]\n[Service]\nMemoryMax=64000000\nMemorySwapMax=0\nMemoryLow=16000000\nCPUQuota=12.5%\nCPUWeight=12\n",
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

    [Fact]
    public void A_limit_of_network_that_a_restart_would_lose_is_refused_also_without_other_limits()
    {
        Annotation again = new(AcIdentifier.Parse(Appc.Pods.RestartPolicy.AnnotationName), "always,delay=1");
        _pod.Shell("true", a => a with { Isolators = [NspawnPod.Isolator("resource/network-bandwidth", """{"default":true,"limit":"1M"}""")] }, new RuntimeApp { Annotations = [again] })
            .Shell("true");
        LaunchException e = Assert.Throws<LaunchException>(() => PodLimits.Decide(_pod.Describe(), "test", LimitHost.None));
        Assert.Contains("would be lost when it is started again", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Apps_that_come_later_are_limited_by_what_a_mutable_pod_was_given()
    {
        _pod.Shell("true", a => a with { Isolators = [NspawnPod.Isolator("resource/memory", """{"request":"1M"}""")] })
            .Shell("true", a => a with
            {
                Isolators = [NspawnPod.Isolator("resource/memory", """{"limit":"64M","request":"16M"}"""), NspawnPod.Isolator("os/linux/cpu-shares", "2048")],
                EventHandlers = [new EventHandlerSpec("post-stop", ["/bin/true"])],
            });
        Stage1Pod both = _pod.Describe() with { Mutable = true };
        Stage1Pod pod = both with { Apps = [both.Apps[0]] };
        string group = Path.Combine(_parent, PodCGroup.NameOf(pod.Uuid));
        PodPaths paths = Prepare(pod, group, ["memory", "cpu", "io"]);
        Assert.Equal("+memory +cpu", File.ReadAllText(_parent + "/cgroup.subtree_control"));
        Assert.Equal("1000000", File.ReadAllText(group + "/memory.low"));

        // As systemd-nspawn hands them on to the pod.
        PodPaths.WriteText(paths.CGroup, group);
        File.WriteAllText(group + "/cgroup.subtree_control", "cpu memory pids\n");
        RunningLimits limits = RunningLimits.Find(both)!;
        Assert.All(LimitHost.OfApps, c => Assert.Null(limits.Host(LimitHost.None).WhyNot(c)));
        using ImageTree image = new(pod.Apps[0].Layers, "test");
        limits.Add(NspawnApp.Resolve(both, both.Apps[1], image, "test"), 1 << 20);
        foreach (string unit in (string[])["app-app2.service", "post-stop-app2.service"])
        {
            Assert.Equal(
                "[Unit]\n[Service]\nMemoryMax=64000000\nMemorySwapMax=0\nMemoryLow=16000000\nCPUWeight=200\n",
                File.ReadAllText(Path.Combine(paths.Units, unit + ".d/limits.conf")));
        }

        Assert.Equal("17000000", File.ReadAllText(group + "/memory.low"));
        Assert.Empty(Directory.GetFiles(paths.Units, "limit-*"));
    }

    [Fact]
    public async Task A_running_pod_has_the_controllers_of_its_start_and_no_more()
    {
        _pod.Shell("true", a => a with { Isolators = [NspawnPod.Isolator("resource/memory", """{"limit":"64M","request":"16M"}"""), NspawnPod.Isolator("os/linux/cpu-shares", "2048")] });
        Stage1Pod pod = _pod.Describe() with { Mutable = true };
        string group = Path.Combine(_parent, PodCGroup.NameOf(pod.Uuid));
        PodPaths paths = Prepare(pod with { Apps = [] }, group, ["memory"]);
        PodPaths.WriteText(paths.CGroup, group);
        File.WriteAllText(group + "/cgroup.subtree_control", "memory\n");
        RunningLimits limits = RunningLimits.Find(pod)!;
        using ImageTree image = new(pod.Apps[0].Layers, "test");
        limits.Add(NspawnApp.Resolve(pod, pod.Apps[0], image, "test"), 1 << 20);
        Assert.DoesNotContain("CPU", File.ReadAllText(Path.Combine(paths.Units, "app-main.service.d/limits.conf")), StringComparison.Ordinal);
        Assert.Equal("16000000", File.ReadAllText(group + "/memory.low"));

        LimitHost now = new(new Dictionary<string, string>(), new DelegatedGroup(_parent, ["memory", "cpu", "io"]));
        Assert.Null(limits.Host(now).WhyNot("memory"));
        Assert.Equal("the pod was started without a controller for cpu", limits.Host(now).WhyNot("cpu")!.Value.Reason);
        LimitHost never = new(new Dictionary<string, string>(), new DelegatedGroup(null, [], "it belongs to systemd", "Delegate it."));
        Assert.Equal(("the pod has no controller for cpu: it belongs to systemd", "Delegate it."), limits.Host(never).WhyNot("cpu"));

        await limits.RemoveAsync(pod.Apps[0].Name, [], TimeProvider.System, default);
        Assert.Equal("0", File.ReadAllText(group + "/memory.low"));
        Assert.Null(RunningLimits.Find(pod with { Directory = _parent }));
    }

    [Fact]
    public void Block_devices_are_limited_for_a_pod_of_one_app_unless_others_may_come()
    {
        Isolator isolator = NspawnPod.Isolator("resource/block-iops", """{"default":true,"limit":"30"}""");
        Stage1Pod pod = _pod.Shell("true", a => a with { Isolators = [isolator] }).Describe();
        LimitHost host = new(new Dictionary<string, string>(), new DelegatedGroup(_parent, ["memory", "cpu", "io"]));
        Assert.Empty(Find(mutable: false));
        Assert.Equal(isolator.Name, Assert.Single(Find(mutable: true)).Isolator.Name);

        IReadOnlyList<UnenforcedIsolator> Find(bool mutable) => IsolatorReport.Find(fixture.Stage1, pod.Manifest, pod.Options, mutable, new SecurityModules(), () => host);
    }

    private string Read(string file) => File.ReadAllText(Path.Combine(_parent, "pod", file));

    /// <summary>Prepares the pod for a host with these controllers; returns the directory of its units.</summary>
    private string Prepare(string[] controllers)
    {
        Stage1Pod pod = _pod.Describe();
        return Prepare(pod, Path.Combine(_parent, "pod"), controllers).Units;
    }

    private PodPaths Prepare(Stage1Pod pod, string group, string[] controllers)
    {
        LimitHost host = new(new Dictionary<string, string>(), new DelegatedGroup(_parent, controllers));
        PodPaths paths = new(pod);
        PodLimits limits = PodLimits.Decide(pod, "test", host);
        Assert.Equal(_parent, limits.Parent);
        new PodFilesWriter(pod).MakeDirectories();
        Directory.CreateDirectory(group);
        List<ImageTree> images = [.. pod.Apps.Select(a => new ImageTree(a.Layers, "test"))];
        limits.Prepare([.. pod.Apps.Zip(images, (a, i) => NspawnApp.Resolve(pod, a, i, "test"))], paths, group, 1 << 20, []);
        images.ForEach(i => i.Dispose());
        return paths;
    }
}
