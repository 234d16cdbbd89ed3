using Appc.Images;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

/// <summary>Mount points of images, and what a pod's specification makes of them.</summary>
public sealed class NspawnMountPointTests(NspawnFixture fixture) : IAsyncDisposable
{
    private readonly ServicePods _pods = new(fixture);

    public ValueTask DisposeAsync() => _pods.DisposeAsync();

    [Fact]
    public async Task What_is_given_no_volume_has_one_of_its_apps_own()
    {
        PodSpec spec = new();
        foreach ((string name, string point) in ((string, string)[])[("a", "b-c"), ("a-b", "c"), ("x", "c")])
        {
            spec.Apps.Add(await AppAsync(name, "echo $AC_APP_NAME > /data/mine; busybox sleep 0.3; busybox ls /data; busybox cat /data/mine", new MountPoint(AcName.Parse(point), "/data")));
        }

        // Of the pod, and no mount point's, whatever it is called.
        string host = Directory.CreateDirectory(Path.Combine(_pods.Scratch, "host")).FullName;
        spec.Volumes.Add(new Volume { Name = AcName.Parse("x-c"), Kind = VolumeKind.Host, Source = host });
        Pod pod = await _pods.RunAsync(spec);
        await pod.WaitAsync().WaitAsync(ServicePods.Limit);
        foreach (string app in (string[])["a", "a-b", "x"])
        {
            Assert.Equal($"mine\n{app}\n", await pod.ReadOutputAsync(app));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(host));
    }

    [Fact]
    public async Task Two_apps_share_a_volume_of_the_pod_and_one_may_have_its_own_in_its_place()
    {
        string host = Directory.CreateDirectory(Path.Combine(_pods.Scratch, "own")).FullName;
        await File.WriteAllTextAsync(Path.Combine(host, "file"), "own\n");
        PodSpec spec = new() { Volumes = { new Volume { Name = AcName.Parse("data"), Kind = VolumeKind.Empty } } };
        spec.Apps.Add(await AppAsync("first", "echo shared > /data/x", new MountPoint(AcName.Parse("data"), "/data")));
        spec.Apps.Add(await AppAsync("second", "while [ ! -s /d/x ]; do busybox sleep 0.05; done; busybox cat /d/x", new MountPoint(AcName.Parse("data"), "/d/")));
        AppSpec third = await AppAsync("third", "busybox cat /d/file; [ ! -e /d/x ]", new MountPoint(AcName.Parse("data"), "/d/", ReadOnly: true));
        third.Mounts.Add(new Mount(AcName.Parse("other"), "/d") { AppVolume = new Volume { Name = AcName.Parse("mine"), Kind = VolumeKind.Host, Source = host } });
        spec.Apps.Add(third);
        Pod pod = await _pods.RunAsync(spec);
        PodStatus status = await pod.WaitAsync().WaitAsync(ServicePods.Limit);
        Assert.All(status.Apps, a => Assert.Equal(0, a.ExitCode));
        Assert.Equal("shared\n", await pod.ReadOutputAsync("second"));
        Assert.Equal("own\n", await pod.ReadOutputAsync("third"));
    }

    [Fact]
    public async Task All_that_is_wrong_about_mounts_is_told_at_once()
    {
        AppSpec app = await AppAsync("a", "true", new MountPoint(AcName.Parse("up"), "/x/../../y"));
        foreach ((string volume, string path) in ((string, string)[])[("none", "/none"), ("e", "/twice"), ("h", "//twice/."), ("e", "relative"), ("e", "/")])
        {
            app.Mounts.Add(new Mount(AcName.Parse(volume), path));
        }

        app.Mounts.Add(new Mount(AcName.Parse("e"), "/own") { AppVolume = new Volume { Name = AcName.Parse("own"), Kind = VolumeKind.Host, Source = "relative" } });
        app.Annotations.Add(new Annotation(AcIdentifier.Parse("appc.io/executor/sub-path/e"), "../out"));
        app.Annotations.Add(new Annotation(AcIdentifier.Parse("appc.io/executor/sub-path/nowhere"), "in"));
        PodSpec spec = new(app)
        {
            Volumes = { new Volume { Name = AcName.Parse("e"), Kind = VolumeKind.Empty }, new Volume { Name = AcName.Parse("h"), Kind = VolumeKind.Host, Source = "/" } },
            Annotations =
            {
                new Annotation(AcIdentifier.Parse("appc.io/executor/tmpfs/h"), "1Mi"), new Annotation(AcIdentifier.Parse("appc.io/executor/tmpfs/e"), "much"),
                new Annotation(AcIdentifier.Parse("appc.io/executor/tmpfs/gone"), "1Mi"),
            },
        };
        PodException e = await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.PrepareAsync(spec));
        string[] told = [.. e.Findings.Select(f => f.Message)];
        foreach (string part in (string[])
        [
            "the volume none, which the pod does not have", "mounts two volumes at /twice", "e at a path that is not absolute", "e at '/', which is no place", "up at '/x/../../y'",
            "the host volume own needs an absolute source", "the directory '../out' of the volume e", "sub-path/nowhere of the app a is of a volume that the app does not mount",
            "tmpfs/h is of a volume of the host", "the volume e cannot be 'much' large", "tmpfs/gone is of a volume that the pod does not have",
        ])
        {
            Assert.Single(told, t => t.Contains(part, StringComparison.Ordinal));
        }

        Assert.Equal(11, told.Length);
    }

    [Fact]
    public async Task An_app_that_comes_later_has_its_volumes_at_any_place_and_takes_them_along()
    {
        PodSpec spec = new(await AppAsync("first", "while :; do busybox sleep 1; done"))
        {
            Mutable = true,
            Volumes = { new Volume { Name = AcName.Parse("m"), Kind = VolumeKind.Empty }, new Volume { Name = AcName.Parse("h"), Kind = VolumeKind.Host, Source = _pods.Scratch } },
            Annotations = { new Annotation(AcIdentifier.Parse("appc.io/executor/tmpfs/m"), "1Mi") },
        };
        Pod pod = await _pods.RunAsync(spec);
        for (int i = 0; i < 2; i++)
        {
            AppSpec later = await AppAsync(
                "later", "busybox ls /m; busybox touch /m/x /m/sub/y /run/own/z; busybox ls /run/host/rootfs/bin/busybox; busybox sleep 1000", new MountPoint(AcName.Parse("own"), "/run/own"));
            later.Mounts.Add(new Mount(AcName.Parse("m"), "/m"));
            later.Mounts.Add(new Mount(AcName.Parse("own"), "/m/sub") { AppVolume = new Volume { Name = AcName.Parse("o"), Kind = VolumeKind.Empty } });
            later.Mounts.Add(new Mount(AcName.Parse("h"), "/run/host"));
            await pod.AddAppAsync(later).WaitAsync(ServicePods.Limit);
            await ServicePods.WaitForOutputAsync(pod, "/run/host", "later");
            Assert.Equal((i == 0 ? "sub\n" : "sub\nx\n") + "/run/host/rootfs/bin/busybox\n", await pod.ReadOutputAsync("later"));
            Assert.Equal("z\n", await ServicePods.ExecAsync(pod, "later", "/bin/busybox", "ls", "/run/own"));
            await pod.RemoveAppAsync("later").WaitAsync(ServicePods.Limit);
            Assert.DoesNotContain("later", await MountsOfNspawnAsync(pod), StringComparison.Ordinal);
        }
    }

    private static async Task<string> MountsOfNspawnAsync(Pod pod) =>
        await File.ReadAllTextAsync($"/proc/{(await pod.GetStatusAsync()).Pid}/mountinfo");

    private async Task<AppSpec> AppAsync(string name, string script, params MountPoint[] points)
    {
        AppSpec app = await _pods.AppAsync("", m => m with { App = m.App! with { Exec = ["/bin/sh", "-c", script], MountPoints = points } });
        app.Name = name;
        return app;
    }
}
