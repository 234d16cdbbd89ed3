using System.Diagnostics;
using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Nspawn;
using Appc.Trust;

namespace Appc.Stage1.Isolation;

/// <summary>Images of what apps have left.</summary>
public sealed class ExportTests(NspawnFixture fixture) : IAsyncDisposable
{
    private const string Work = """
        echo changed > /etc/kept; rm /etc/gone; rm -r /data; mkdir /data; echo fresh > /data/fresh; chown 5:6 /data/fresh; chmod 4750 /data/fresh
        ln /data/fresh /data/second; ln -s fresh /data/link; mkfifo /data/pipe; echo 10.1.1.1 mine >> /etc/hosts; echo volume > /vol/file; chown 7:8 /tmp; test ! -e /etc/top-gone
        """;

    private readonly ServicePods _pods = new(fixture);

    public ValueTask DisposeAsync() => _pods.DisposeAsync();

    [Theory]
    [InlineData("nspawn", true)]
    [InlineData("nspawn", false)]
    [InlineData("fly", false)]
    public async Task An_image_of_an_ended_pod_has_what_the_app_changed_under_the_ids_that_the_app_saw(string stage1, bool privateUsers)
    {
        AppSpec app = await LayeredAppAsync();
        app.Exec = "/bin/sh";
        app.Arguments.Add("-c");
        app.Arguments.Add(Work);
        Pod pod = await _pods.RunAsync(new PodSpec(app) { Stage1 = stage1, Options = new Stage1Options { PrivateUsers = privateUsers } });
        string file = Path.Combine(_pods.Scratch, "left.aci");
        PodStatus end = await pod.WaitAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal(0, end.ExitCode);
        string own = Directory.EnumerateDirectories(Path.Combine(_pods.Runtime.Root, "pods", "run", pod.Uuid), "upper", SearchOption.AllDirectories).Single();
        await ToolAsync("python3", "-c", $"import os; os.mknod('{own}/data/socket', 0o140644)");

        ImageId id = await pod.ExportAsync(file);

        string[] lines = (await ToolAsync("tar", "--numeric-owner", "-tvzf", file)).Split('\n');
        string Of(string name) => string.Join(' ', lines.Single(l => l.Split(" -> ")[0].Split(" link to ")[0].TrimEnd('/').EndsWith(" rootfs" + name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2]);
        Assert.Equal("-rwsr-x--- 5/6", Of("/data/fresh"));
        Assert.StartsWith("h", Of("/data/second"), StringComparison.Ordinal);
        Assert.Equal("lrwxrwxrwx 0/0", Of("/data/link"));
        Assert.Equal("prw-r--r-- 0/0", Of("/data/pipe"));
        Assert.Equal("drwxr-xr-x 7/8", Of("/tmp"));
        Assert.Equal("-rw-r--r-- 12/34", Of("/etc/of-others"));
        Assert.Equal("-rw-r--r-- 0/0", Of("/etc/top"));
        Assert.DoesNotContain(lines, l => l.Contains("/etc/gone") || l.Contains("/data/old") || l.Contains("/data/socket") || l.Contains("/vol/file"));

        // What the pod was given is the pod's, and the next one gets its own.
        Assert.DoesNotContain(lines, l => l.EndsWith("/etc/hosts", StringComparison.Ordinal) || l.EndsWith("/etc/hostname", StringComparison.Ordinal));

        StoredImage image = await _pods.Runtime.Images.ImportAsync(file, new ImportOptions { Trust = TrustPolicy.Insecure });
        Assert.Equal(id, image.Id);
        Assert.Equal("example.com/top", image.Manifest.Name.ToString());
        Assert.Empty(image.Manifest.Dependencies);
        Pod next = await _pods.RunAsync(new PodSpec(new AppSpec(image) { Exec = "/bin/sh", Arguments = { "-c", "cat /etc/kept /etc/top /data/second; ls /data; ls /vol; grep -c mine /etc/hosts" } }) { Stage1 = "fly" });
        await next.WaitAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal("changed\ntop\nfresh\nfresh\nlink\npipe\nsecond\n0\n", await next.ReadOutputAsync());
    }

    [Fact]
    public async Task A_pod_that_runs_or_never_ran_gives_no_image()
    {
        AppSpec app = await LayeredAppAsync();
        app.Exec = "/bin/sleep";
        app.Arguments.Add("1000");
        Pod prepared = await _pods.Runtime.PrepareAsync(new PodSpec(app));
        string file = Path.Combine(_pods.Scratch, "none.aci");
        await RefusedAsync(prepared);
        Pod pod = await _pods.Runtime.RunPreparedAsync(prepared.Uuid);
        await RefusedAsync(pod);
        PodException nobody = await Assert.ThrowsAsync<PodException>(() => Stopped(pod, "other"));
        Assert.Equal(PodFailure.NotFound, nobody.Failure);

        // A pod that is looked at this way is no running one, and goes when nobody looks any more.
        await pod.ExportAsync(file);
        Assert.Equal(ImageFailure.Storage, (await Assert.ThrowsAsync<ImageException>(() => pod.ExportAsync(file))).Failure);
        await pod.RemoveAsync();

        async Task RefusedAsync(Pod one)
        {
            PodException refused = await Assert.ThrowsAsync<PodException>(() => one.ExportAsync(file));
            Assert.Equal(PodFailure.WrongState, refused.Failure);
            Assert.False(File.Exists(file));
        }

        async Task Stopped(Pod one, string app)
        {
            await one.StopAsync(TimeSpan.Zero);
            await one.ExportAsync(file, app);
        }
    }

    [Fact]
    public async Task Directories_that_are_deeper_than_any_name_give_no_image()
    {
        AppSpec app = await _pods.AppAsync("silent");
        app.Exec = "/bin/true";
        Pod pod = await _pods.RunAsync(new PodSpec(app));
        await pod.WaitAsync().WaitAsync(ServicePods.Limit);
        string own = Directory.EnumerateDirectories(Path.Combine(_pods.Runtime.Root, "pods", "run", pod.Uuid), "upper", SearchOption.AllDirectories).Single();
        await ToolAsync("python3", "-c", $"import os\nos.chdir('{own}')\nfor i in range(3000):\n  os.mkdir('d')\n  os.chdir('d')");
        string file = Path.Combine(_pods.Scratch, "deep.aci");
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => pod.ExportAsync(file));
        Assert.Equal(ImageFailure.LimitExceeded, refused.Failure);
        Assert.Contains("rootfs/d/d/d", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(file));
    }

    /// <summary>An app whose image depends on another one.</summary>
    private async Task<AppSpec> LayeredAppAsync()
    {
        // Makes the tree of the first.
        await _pods.AppAsync("silent");
        string below = Path.Combine(_pods.Scratch, "rootfs");
        Write(below, "etc/kept", "kept");
        Write(below, "etc/gone", "gone");
        Write(below, "etc/of-others", "others");
        Write(below, "data/old/file", "old");
        Directory.CreateDirectory(Path.Combine(below, "vol"));
        await ToolAsync("chown", "12:34", Path.Combine(below, "etc/of-others"));
        string above = Path.Combine(_pods.Scratch, "above");
        Write(above, "etc/top", "top");

        App run = new() { Exec = ["/bin/sh"], User = "0", Group = "0", MountPoints = [new MountPoint(AcName.Parse("vol"), "/vol")] };
        AcIdentifier name = AcIdentifier.Parse("example.com/below");
        await ImportAsync(new ImageManifest { Name = name, App = run }, below);
        return new AppSpec(await ImportAsync(new ImageManifest { Name = AcIdentifier.Parse("example.com/top"), App = run, Dependencies = [new Dependency { ImageName = name }] }, above));

        static void Write(string root, string path, string text)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, path))!);
            File.WriteAllText(Path.Combine(root, path), text + "\n");
        }
    }

    private static async Task<string> ToolAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private async Task<StoredImage> ImportAsync(ImageManifest manifest, string rootfs)
    {
        string archive = Path.Combine(_pods.Scratch, Guid.NewGuid().ToString("N") + ".aci");
        await AciWriter.BuildAsync(manifest, rootfs, archive);
        return await _pods.Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure });
    }
}
