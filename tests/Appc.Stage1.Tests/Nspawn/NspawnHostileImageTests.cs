using System.Diagnostics;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>Images that would have whoever puts a pod together reach out of the app's root, or hold what would be more there than on disk.</summary>
public sealed class NspawnHostileImageTests : IDisposable
{
    private const string Secret = "only the host may read this";

    private readonly NspawnFixture _fixture;
    private readonly string _home = Directory.CreateTempSubdirectory("appc-hostile-").FullName;

    public NspawnHostileImageTests(NspawnFixture fixture)
    {
        _fixture = fixture;
        Directory.CreateDirectory(Outside);
        File.WriteAllText(Path.Combine(Outside, "secret"), Secret);

        // Names that somebody might remove, replace or write to who fills a /dev or /etc.
        foreach (string name in (string[])["ptmx", "null", "hosts", "hostname", "resolv.conf"])
        {
            File.WriteAllText(Path.Combine(Outside, name), name);
        }
    }

    private string Outside => Path.Combine(_home, "outside");

    public void Dispose() => TreeRemover.Remove(_home);

    [Theory]
    [InlineData("dev")]
    [InlineData("proc")]
    [InlineData("sys")]
    [InlineData("run")]
    [InlineData("etc")]
    [InlineData("tmp")]
    public async Task A_directory_that_is_a_link_leads_nobody_out(string name)
    {
        // CVE-2019-18837, CVE-2025-31133, CVE-2026-41579, CVE-2026-88264 and their kin.
        int ran = 0;
        foreach (string target in (string[])[Outside, "../../../../../../../.." + Outside, "/proc/1/root" + Outside, "/", "/data", "nowhere", "/proc", "/dev"])
        {
            string before = Listing();
            using NspawnPod pod = new(_fixture) { Layers = [MakeImage(name, target)] };
            pod.Volumes = [new Volume { Name = AcName.Parse("v"), Kind = VolumeKind.Empty }];
            pod.Shell(
                $"cat /{name}/secret {Outside}/secret; echo x > /proc/sys/kernel/hostname; cat /proc/kallsyms /proc/keys; echo ran",
                runtime: new RuntimeApp { Mounts = [new Mount(AcName.Parse("v"), $"/{name}/appc-volume")] });
            try
            {
                string output = await pod.RunAsync();
                Assert.True(output is "ran\n" or "", $"{name} -> {target}: {output}");
                ran += output.Length > 0 ? 1 : 0;
            }
            catch (LaunchException)
            {
                // Such an image may be refused.
                pod.ReleaseLock();
            }

            pod.AssertNothingIsLeft();
            Assert.Equal(before, Listing());
        }

        Assert.True(ran > 0);
    }

    [Fact]
    public async Task Devices_set_id_bits_and_capabilities_of_files_give_no_more_than_the_app_may_have()
    {
        string layer = Directory.CreateDirectory(Path.Combine(_home, "layer")).FullName;
        Directory.CreateDirectory(Path.Combine(layer, "bin"));
        foreach ((string name, string type, string major, string minor) in ((string, string, string, string)[])[("zero", "c", "1", "5"), ("memory", "c", "1", "1"), ("disk", "b", "254", "0")])
        {
            await RunAsync("mknod", "-m", "666", Path.Combine(layer, name), type, major, minor);
        }

        foreach (string name in (string[])["as-root", "with-capabilities"])
        {
            File.Copy(CProgram.BreakOut(), Path.Combine(layer, "bin", name));
        }

        await RunAsync("chmod", "6755", Path.Combine(layer, "bin/as-root"));
        await RunAsync("setcap", "cap_sys_admin,cap_net_raw+p", Path.Combine(layer, "bin/with-capabilities"));
        using NspawnPod pod = new(_fixture) { Layers = [_fixture.Image, layer], Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit } };
        const string Print = "for n in zero memory disk; do dd if=/$n of=/dev/null bs=1 count=1 2>/dev/null && echo read $n; done; /bin/as-root summary | grep -E 'CapPrm|Uid' | tr -s '\\t ' ' '; /bin/with-capabilities summary | grep CapPrm | tr -s '\\t ' ' '";
        pod.Shell(Print, a => a with { User = "1234", Group = "1234" });

        // Without a filter there is no no-new-privileges: then the bits count, within the bounds of the app and the pod.
        pod.Shell(Print, a => a with { User = "1234", Group = "1234", Isolators = [NspawnPod.Isolator("os/linux/seccomp-remove-set", """{"set":["@appc.io/empty"]}""")] });
        pod.Shell(Print);
        await pod.RunAsync();
        Assert.Equal(" Uid: 1234 1234 1234 1234\n CapPrm: 0000000000000000\n CapPrm: 0000000000000000\n", pod.Output());
        Assert.Equal(" Uid: 1234 0 0 0\n CapPrm: 00000000a80425fb\n CapPrm: 0000000000002000\n", pod.Output("app2"));
        Assert.Equal(" Uid: 0 0 0 0\n CapPrm: 00000000a80425fb\n CapPrm: 00000000a80425fb\n", pod.Output("app3"));
        pod.AssertNothingIsLeft();
    }

    private static async Task RunAsync(params string[] words)
    {
        using Process process = Process.Start(words[0], words[1..]);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    private string MakeImage(string name, string target)
    {
        string image = Directory.CreateDirectory(Path.Combine(_home, Guid.NewGuid().ToString("N"))).FullName;
        foreach (string directory in ((string[])["bin", "data", "dev", "etc", "proc", "run", "sys", "tmp"]).Where(d => d != name))
        {
            Directory.CreateDirectory(Path.Combine(image, directory));
        }

        File.Copy("/usr/bin/busybox", Path.Combine(image, "bin/busybox"));
        foreach (string applet in (string[])["sh", "cat"])
        {
            File.CreateSymbolicLink(Path.Combine(image, "bin", applet), "busybox");
        }

        File.CreateSymbolicLink(Path.Combine(image, name), target);
        return image;
    }

    /// <summary>What is outside, with owners, modes and times.</summary>
    private string Listing() => string.Join('\n', new DirectoryInfo(Outside).EnumerateFileSystemInfos().Select(i => i.FullName).Append(Outside).Order().Select(p =>
    {
        Assert.True(Libc.TryStat(p, out Libc.Statx stat));
        return $"{p} {stat.Uid}:{stat.Gid} {stat.Mode} {stat.Size} {stat.ModifyTime.Seconds}.{stat.ModifyTime.Nanoseconds}";
    }));
}
