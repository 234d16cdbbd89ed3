using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Fly;
using Appc.Stage1.Nspawn;

namespace Appc.Stage1.Isolation;

/// <summary>What security modules are told, on hosts of plain files.</summary>
public sealed class SecurityLabelsTests(NspawnFixture fixture) : IDisposable
{
    private const string Context = """{"user":"system_u","role":"system_r","type":"container_t","level":"s0:c1,c2"}""";
    private const string OtherContext = """{"user":"system_u","role":"system_r","type":"spc_t","level":"s0"}""";

    private readonly string _host = Directory.CreateTempSubdirectory("appc-modules-").FullName;

    public void Dispose() => Directory.Delete(_host, recursive: true);

    [Fact]
    public void A_host_without_the_modules_enforces_nothing_and_says_so()
    {
        SecurityLabels labels = new(new SecurityModules(_host), PodOf([Selinux(Context)], [AppArmor("app-profile")]));
        Assert.Equal("the host does not run SELinux", labels.WhyNot(Selinux(Context), null)?.Reason);
        Assert.Equal("the host does not run AppArmor", labels.WhyNot(AppArmor("app-profile"), AcName.Parse("one"))?.Reason);
        Assert.Empty(labels.NspawnArguments);
        Assert.Empty(labels.BeforeExecution(AcName.Parse("one")));
        Assert.Equal("", labels.MountOption);
        Write("sys/module/apparmor/parameters/enabled", "N\n");
        Assert.False(new SecurityModules(_host).HasAppArmor);
    }

    [Fact]
    public void Selinux_labels_processes_and_files_of_the_whole_pod()
    {
        Write("sys/fs/selinux/enforce", "1");
        Write("etc/selinux/config", "# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n");
        Write("etc/selinux/targeted/contexts/lxc_contexts", "process = \"system_u:system_r:container_t:s0\"\ncontent = \"x\"\nfile = \"system_u:object_r:svirt_file_t:s0\"\n");
        SecurityLabels labels = new(new SecurityModules(_host), PodOf([], [Selinux(Context)], [Selinux(Context)]));
        Assert.Equal(
            ["--selinux-context=system_u:system_r:container_t:s0:c1,c2", "--selinux-apifs-context=system_u:object_r:svirt_file_t:s0:c1,c2"], labels.NspawnArguments);
        Assert.Equal(",context=\"system_u:object_r:svirt_file_t:s0:c1,c2\"", labels.MountOption);
        Assert.Equal([("exec", "system_u:system_r:container_t:s0:c1,c2")], labels.BeforeExecution(AcName.Parse("one")));
        Assert.Null(labels.WhyNot(Selinux(Context), AcName.Parse("two")));

        // Two apps that differ, or one that differs from the pod, cannot have it; and nothing gets into an option that is none.
        labels = new(new SecurityModules(_host), PodOf([], [Selinux(Context)], [Selinux(OtherContext)]));
        Assert.NotNull(labels.WhyNot(Selinux(OtherContext), AcName.Parse("two")));
        Assert.Empty(labels.NspawnArguments);
        labels = new(new SecurityModules(_host), PodOf([Selinux(Context)], [Selinux(OtherContext)]));
        Assert.NotNull(labels.WhyNot(Selinux(OtherContext), AcName.Parse("one")));
        Assert.Equal(2, labels.NspawnArguments.Count);
        Isolator hostile = Selinux("""{"user":"u","role":"r","type":"t","level":"s0\",upperdir=/"}""");
        labels = new(new SecurityModules(_host), PodOf([hostile]));
        Assert.NotNull(labels.WhyNot(hostile, null));
        Assert.Empty(labels.NspawnArguments);
    }

    [Fact]
    public async Task AppArmor_gives_each_app_its_profile_if_the_host_has_loaded_it()
    {
        Write("sys/module/apparmor/parameters/enabled", "Y\n");
        Write("sys/kernel/security/apparmor/profiles", "app-profile (enforce)\nother//child (complain)\n");
        Directory.CreateDirectory(Path.Combine(_host, "proc/self/attr/apparmor"));
        SecurityModules host = new(_host);
        SecurityLabels labels = new(host, PodOf([], [AppArmor("app-profile")], [AppArmor("missing")], [AppArmor("-app-profile")]));
        Assert.Equal(("app-profile", null, null), (labels.ProfileOf(AcName.Parse("one")), labels.ProfileOf(AcName.Parse("two")), labels.ProfileOf(AcName.Parse("three"))));
        Assert.Equal("the host has loaded no such profile", labels.WhyNot(AppArmor("missing"), AcName.Parse("two"))?.Reason);
        Assert.Equal([("apparmor/exec", "exec app-profile")], labels.BeforeExecution(AcName.Parse("one")));
        labels = new(host, PodOf([AppArmor("app-profile")], [AppArmor("other//child")]));
        Assert.Equal("app-profile", labels.ProfileOf(AcName.Parse("one")));
        Assert.Equal("the pod's profile holds for all of its apps", labels.WhyNot(AppArmor("other//child"), AcName.Parse("one"))?.Reason);

        // The systemd inside heeds it: this kernel, which has no AppArmor, refuses, and the app is not executed.
        using NspawnStage1 nspawn = new() { Modules = host };
        using NspawnPod pod = new(fixture) { Stage1 = nspawn };
        pod.Shell("echo executed", a => a with { Isolators = [AppArmor("app-profile")] }).Shell("echo ready; sleep 600");
        pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        Stage1Process process = await pod.StartAndWaitForAsync("ready", "app2");
        using (CancellationTokenSource limit = new(TimeSpan.FromSeconds(60)))
        {
            // The file is there a moment before its line.
            while (PodFiles.ReadStatus(pod.Directory, AcName.Parse("main")) is null)
            {
                await Task.Delay(10, limit.Token);
            }
        }

        const int ProfileRefused = 231;
        Assert.Equal(($"exited {ProfileRefused} exit-code", ""), (pod.Status(), pod.Output()));
        await nspawn.StopAsync(pod.Describe(), process.Id, TimeSpan.Zero);
        await process.Ended;
    }

    [Fact]
    public async Task A_command_takes_on_the_profile_of_its_app()
    {
        using NspawnStage1 nspawn = new() { Modules = new SecurityModules(_host) };
        using NspawnPod pod = new(fixture) { Stage1 = nspawn };
        Stage1Process process = await pod.Shell("echo ready; sleep 600", a => a with { Isolators = [AppArmor("app-profile")] }).StartAndWaitForAsync("ready");
        Write("sys/module/apparmor/parameters/enabled", "Y\n");
        LaunchException refused = await Assert.ThrowsAsync<LaunchException>(
            () => nspawn.ExecAsync(pod.Describe(), process.Id, AcName.Parse("main"), new Stage1Command { Arguments = ["/bin/true"] }));
        Assert.Equal("take on the label 'exec app-profile'", refused.Step);
        await nspawn.StopAsync(pod.Describe(), process.Id, TimeSpan.Zero);
        await process.Ended;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Fly_tells_the_kernel_before_it_executes_and_a_kernel_that_refuses_fails_the_start(bool selinux)
    {
        Write("sys/fs/selinux/enforce", "1");
        Write("sys/module/apparmor/parameters/enabled", "Y\n");
        using FlyStage1 stage1 = new() { Modules = new SecurityModules(_host) };
        using FlyPod pod = new();
        pod.Shell("true");
        pod.Isolators = [selinux ? Selinux(Context) : AppArmor("no-such-profile")];
        Assert.Empty(stage1.FindUnenforced(pod.Describe().Manifest, new Stage1Options()));
        LaunchException refused = await Assert.ThrowsAsync<LaunchException>(() => stage1.StartAsync(pod.Describe()));
        Assert.Equal(selinux ? "mount the app's root" : "take on the label 'exec no-such-profile'", refused.Step);
    }

    private static Isolator Selinux(string json) => Isolator.Create(IsolatorNames.SelinuxContext, json);

    private static AppArmorProfileIsolator AppArmor(string profile) => new AppArmorProfileIsolator(profile);

    private static PodManifest PodOf(Isolator[] ofPod, params Isolator[][] ofApps)
    {
        string[] names = ["one", "two", "three"];
        return new PodManifest
        {
            Isolators = ofPod,
            Apps = [.. ofApps.Select((isolators, i) => new RuntimeApp { Name = AcName.Parse(names[i]), App = new App { Exec = ["/bin/true"], Isolators = isolators } })],
        };
    }

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_host, path))!);
        File.WriteAllText(Path.Combine(_host, path), text);
    }
}
