using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// What a hostile program tries, as root in its pod and as another user, as the app and as a command in it:
/// Programs/breakout.c holds the attempts. Each must fail.
/// </summary>
public sealed class NspawnBreakOutTests : IDisposable
{
    private const string Waiting = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    private const string Secret = "only the host may read this";

    private readonly NspawnFixture _fixture;
    private readonly ITestOutputHelper _output;
    private readonly string _home = Directory.CreateTempSubdirectory("appc-breakout-").FullName;
    private readonly string _shared = Path.Combine("/dev/shm", "appc-breakout-" + Guid.NewGuid().ToString("N"));
    private readonly TcpListener _listener = new(IPAddress.Any, 0);
    private readonly Socket _abstract = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string _abstractName = "appc-breakout-" + Guid.NewGuid().ToString("N");

    public NspawnBreakOutTests(NspawnFixture fixture, ITestOutputHelper output)
    {
        _fixture = fixture;
        _output = output;
        Layer = Make("layer");
        foreach (string directory in (string[])["bin", "data", "fixed"])
        {
            Make("layer/" + directory);
        }

        File.Copy(CProgram.BreakOut(), Path.Combine(Layer, "bin/breakout"));
        File.WriteAllText(Path.Combine(Make("outside"), "secret"), Secret);
        File.WriteAllText(_shared, Secret);
        MakeVolumes();
        _listener.Start();
        _abstract.Bind(new UnixDomainSocketEndPoint("\0" + _abstractName));
        _abstract.Listen();
    }

    private string Layer { get; }

    private string Outside => Path.Combine(_home, "outside/secret");

    public void Dispose()
    {
        _listener.Dispose();
        _abstract.Dispose();
        File.Delete(_shared);
        TreeRemover.Remove(_home);
    }

    [Theory]
    [InlineData("the app", 0)]
    [InlineData("the app", 1234)]
    [InlineData("a command", 0)]
    [InlineData("a command", 1234)]
    public async Task Every_attempt_fails(string where, int user)
    {
        using NspawnPod pod = Pod();
        bool command = where == "a command";
        Func<App, App> asUser = a => a with { User = user.ToString(CultureInfo.InvariantCulture), Group = user.ToString(CultureInfo.InvariantCulture) };
        pod.Add(asUser(new App { Exec = command ? ["/bin/sh", "-c", Waiting] : ["/bin/breakout", .. Knowledge()] }), Mounts());

        // Somebody else in the same pod, who is not to be seen through either.
        pod.Shell(Waiting, a => a with { User = user == 0 ? "1234" : "0" });
        string output;
        if (command)
        {
            Stage1Process process = await pod.StartAndWaitForAsync("ready");
            await using (Command run = new(await _fixture.Stage1.ExecAsync(pod.Describe(), process.Id, AcName.Parse("main"), new Stage1Command { Arguments = ["/bin/breakout", .. Knowledge()] })))
            {
                await run.Exec.StandardInput.DisposeAsync();
                output = Encoding.UTF8.GetString(await run.ReadOutputAsync());
            }

            await _fixture.Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.FromSeconds(30));
            await process.Ended;
        }
        else
        {
            output = await pod.RunAsync();
        }

        AssertAllDenied(output);
        pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task The_attempts_would_succeed_where_the_isolation_is_waived()
    {
        // What shows that they are real: in a pod that may do much, within its user namespace.
        using NspawnPod pod = Pod();
        pod.Options = new Stage1Options { KeepAllCapabilities = true, NoSeccomp = true, KeepKernelPaths = true, ExitPolicy = PodExitPolicy.AnyExit };
        pod.Add(new App { Exec = ["/bin/breakout", "stay=yes", .. Knowledge()] }, Mounts()).Shell(Waiting);
        string[] succeeded = [.. Lines(await pod.RunAsync()).Where(l => l.Value.StartsWith("SUCCEEDED", StringComparison.Ordinal)).Select(l => l.Key)];
        string[] expected =
        [
            "process_1_root", "other_roots", "mount_tmpfs", "mount_bind", "new_file_system", "clone_tree", "trace", "trace_process_1", "read_memory",
            "take_descriptor", "join_namespaces", "new_namespaces", "born_in_a_namespace", "born_in_a_namespace_3", "add_key_call", "session_keyring",
            "host_name", "domain_name",
        ];
        Assert.Empty(expected.Except(succeeded));

        // The host stays out of reach all the same: that is the user namespace's doing.
        string[] never =
        [
            "secret_files", "host_process", "kernel_memory", "kernel_log_write", "core_pattern", "device_nodes", "devices", "module_from_memory",
            "kexec", "swap", "clock_set", "io_ports", "abstract_socket", "connect_host", "interfaces",
        ];
        Assert.Empty(never.Intersect(succeeded));
        _output.WriteLine($"{succeeded.Length} attempts succeed within the pod, and none reaches the host: {string.Join(", ", succeeded)}");
        pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task The_summary_of_a_default_app()
    {
        using NspawnPod pod = Pod();
        pod.Shell("/bin/breakout summary");
        string summary = await pod.RunAsync();
        _output.WriteLine(summary);
        Assert.Contains("NoNewPrivs:\t0", summary, StringComparison.Ordinal);
        Assert.Contains("Seccomp:\t2", summary, StringComparison.Ordinal);
        Assert.Contains("capabilities that can be had: 0 1 3 4 5 6 7 8 10 13 18 27 29 31\n", summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_is_swapped_while_a_pod_mounts_it_leads_nowhere_else()
    {
        // One pod has the volume, and exchanges in it a directory for a link to the outside, again and again.
        // Others have a volume whose source is there, and one that is mounted there.
        string volume = Path.Combine(_home, "data");
        Make("data/real");
        File.WriteAllText(Path.Combine(volume, "real/inside"), "inside");
        File.CreateSymbolicLink(Path.Combine(volume, "trap"), Path.GetDirectoryName(Outside)!);
        using NspawnPod attacker = Pod();
        attacker.Add(new App { Exec = ["/bin/breakout", "swap", "/data/real", "/data/trap"] }, Mounts());
        Stage1Process swapping = await attacker.StartAndWaitForAsync("ready");
        int mounted = 0;
        try
        {
            for (int round = 0; round < 12; round++)
            {
                using NspawnPod victim = Pod();
                bool asSource = round % 2 == 0;
                victim.Volumes = asSource
                    ? [new Volume { Name = AcName.Parse("v"), Kind = VolumeKind.Host, Source = Path.Combine(volume, "real") }]
                    : [new Volume { Name = AcName.Parse("data"), Kind = VolumeKind.Host, Source = volume }, new Volume { Name = AcName.Parse("v"), Kind = VolumeKind.Empty }];
                Mount[] mounts = asSource
                    ? [new Mount(AcName.Parse("v"), "/data")]
                    : [new Mount(AcName.Parse("data"), "/data"), new Mount(AcName.Parse("v"), "/data/real/deep")];
                victim.Shell("cat /data/secret /data/real/secret /data/trap/secret; touch /data/real/deep/mark; echo ran", runtime: new RuntimeApp { Mounts = mounts });
                try
                {
                    string output = await victim.RunAsync();
                    Assert.DoesNotContain(Secret, output, StringComparison.Ordinal);
                    Assert.Contains("ran", output, StringComparison.Ordinal);
                    mounted++;
                }
                catch (LaunchException e)
                {
                    // The link was there at that moment: refused.
                    Assert.Contains("volume", e.Message, StringComparison.Ordinal);
                    victim.ReleaseLock();
                }

                victim.AssertNothingIsLeft();
            }
        }
        finally
        {
            await _fixture.Stage1.StopAsync(attacker.Describe(), swapping.Id, TimeSpan.Zero);
            await swapping.Ended;
        }

        Assert.Equal(["secret"], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(Outside)!).Select(Path.GetFileName));
        _output.WriteLine($"{mounted} of 12 pods started, and saw only what is theirs");
    }

    [Fact]
    public async Task What_enters_cannot_be_overwritten_through_its_program()
    {
        // The image names its own program "whatever executes this", and has somebody who waits to write to that.
        foreach ((string name, string target) in (ReadOnlySpan<(string, string)>)[("again", "/proc/self/exe"), ("same", "/proc/thread-self/exe")])
        {
            File.CreateSymbolicLink(Path.Combine(Layer, "bin", name), target);
        }

        File.WriteAllText(Path.Combine(Layer, "bin/script"), "#!/proc/self/exe\n");
        Own(Path.Combine(Layer, "bin/script"), 0, 0x1ed);
        using NspawnPod pod = Pod();
        pod.Add(new App { Exec = ["/bin/breakout", "overwrite"] });
        Stage1Process process = await pod.StartAndWaitForAsync("ready");
        for (int round = 0; round < 5; round++)
        {
            foreach (string program in (string[])["/bin/again", "/bin/same", "/bin/script", "/bin/true"])
            {
                try
                {
                    await using Command command = new(await _fixture.Stage1.ExecAsync(pod.Describe(), process.Id, AcName.Parse("main"), new Stage1Command { Arguments = [program] }));
                    await command.Exec.StandardInput.DisposeAsync();
                    Stage1Exit exit = await command.Exec.Ended.WaitAsync(TimeSpan.FromSeconds(60));
                    Assert.Equal(program == "/bin/true", exit.ExitCode == 0);
                }
                catch (LaunchException e)
                {
                    Assert.NotEqual("/bin/true", program);
                    Assert.Contains(program, e.Message, StringComparison.Ordinal);
                }
            }
        }

        await _fixture.Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.Zero);
        await process.Ended;
        Assert.DoesNotContain("OVERWROTE", pod.Output(), StringComparison.Ordinal);
        pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Settings_for_nspawn_that_lie_about_are_not_read()
    {
        // CVE-2026-40226 and its kin come in by way of such files.
        using (NspawnPod first = Pod())
        {
            await first.Shell("true").RunAsync();
        }

        string settings = _fixture.Tree + ".nspawn";
        File.WriteAllText(settings, $"[Files]\nBind={Path.GetDirectoryName(Outside)}:/run/taken\n[Exec]\nPrivateUsers=no\nCapability=all\n");
        try
        {
            using NspawnPod pod = Pod();
            string output = await pod.Shell("tr -s ' ' < /proc/self/uid_map; grep -c taken /proc/self/mountinfo; grep CapBnd /proc/self/status").RunAsync();
            Assert.Equal($" 0 {pod.Range} 65536\n0\nCapBnd:\t00000000a80425fb\n", output);
        }
        finally
        {
            File.Delete(settings);
        }
    }

    [Fact]
    public async Task A_fork_bomb_is_held()
    {
        using NspawnStage1 small = new(new NspawnOptions { MaxProcesses = 60 });
        foreach (string user in (string[])["0", "1234"])
        {
            using NspawnPod pod = new(_fixture) { Stage1 = small, Layers = [_fixture.Image, Layer] };
            pod.Shell("/bin/breakout bomb; echo alive", a => a with { User = user, Group = user });
            string output = await pod.RunAsync();
            _output.WriteLine($"user {user}: {output}");
            Assert.Matches("^held at [1-5][0-9] EAGAIN\nalive\n$", output);
            pod.AssertNothingIsLeft();
        }

        using NspawnPod usual = Pod();
        usual.Shell("grep 'Max processes' /proc/self/limits");
        Assert.Matches("^Max processes +16384 +16384 ", await usual.RunAsync());
    }

    private static Dictionary<string, string> Lines(string output) => output.Split('\n').Select(l => l.Split(": ", 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);

    private void AssertAllDenied(string output)
    {
        _output.WriteLine(output);
        Dictionary<string, string> lines = Lines(output);
        Assert.Equal(Attempts(), lines.Keys);
        Assert.EndsWith("done\n", output, StringComparison.Ordinal);
        Assert.Empty(lines.Where(l => !l.Value.StartsWith("denied", StringComparison.Ordinal)).Select(l => $"{l.Key}: {l.Value}"));
    }

    private static string[] Attempts()
    {
        using System.Diagnostics.Process list = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(CProgram.BreakOut(), "list") { RedirectStandardOutput = true })!;
        string[] names = list.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        list.WaitForExit();
        Assert.True(names.Length > 100);
        return names;
    }

    /// <summary>What the attacker knows of the host.</summary>
    private string[] Knowledge()
    {
        IEnumerable<string> addresses = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork)
            .Select(a => a.Address.ToString());
        return
        [
            $"secrets={Outside}:{_shared}",
            string.Create(CultureInfo.InvariantCulture, $"pid={Environment.ProcessId}"),
            $"pidns={new FileInfo("/proc/self/ns/pid").LinkTarget}",
            $"addresses={string.Join(',', addresses)}",
            string.Create(CultureInfo.InvariantCulture, $"port={((IPEndPoint)_listener.LocalEndpoint).Port}"),
            $"abstract={_abstractName}",
        ];
    }

    private NspawnPod Pod() => new(_fixture)
    {
        Layers = [_fixture.Image, Layer],
        Options = new Stage1Options { ExitPolicy = PodExitPolicy.AnyExit },
        Volumes =
        [
            new Volume { Name = AcName.Parse("data"), Kind = VolumeKind.Host, Source = Path.Combine(_home, "data") },
            new Volume { Name = AcName.Parse("fixed"), Kind = VolumeKind.Host, Source = Path.Combine(_home, "fixed"), ReadOnly = true },
        ],
    };

    private static RuntimeApp Mounts() => new() { Mounts = [new Mount(AcName.Parse("data"), "/data"), new Mount(AcName.Parse("fixed"), "/fixed")] };

    private void MakeVolumes()
    {
        string data = Make("data");
        File.WriteAllText(Path.Combine(Make("fixed"), "file"), "fixed");
        foreach ((string name, string text, uint owner, uint mode) in (ReadOnlySpan<(string, string, uint, uint)>)[
            ("file", "shared", 1234, 0x1b6), ("private", "private", 777, 0x180), ("mine", "mine", 0, 0x1b6)])
        {
            File.WriteAllText(Path.Combine(data, name), text);
            Own(Path.Combine(data, name), owner, mode);
        }

        File.Copy(CProgram.BreakOut(), Path.Combine(data, "set-user-id"));
        Own(Path.Combine(data, "set-user-id"), 777, 0x9ed);
        File.CreateSymbolicLink(Path.Combine(data, "link-absolute"), Outside);
        File.CreateSymbolicLink(Path.Combine(data, "link-up"), "../../../../../../../.." + Outside);
        File.CreateSymbolicLink(Path.Combine(data, "link-proc"), "/proc/1/root" + Outside);
        using System.Diagnostics.Process mknod = System.Diagnostics.Process.Start("mknod", ["-m", "666", Path.Combine(data, "null"), "c", "1", "3"]);
        mknod.WaitForExit();
        Assert.Equal(0, mknod.ExitCode);
        Own(data, 0, 0x1ff);
    }

    private static unsafe void Own(string path, uint owner, uint mode)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            Assert.Equal(0, Libc.fchownat(Libc.AT_FDCWD, p, owner, owner, 0));
            Assert.Equal(0, Libc.fchmodat(Libc.AT_FDCWD, p, mode, 0));
        }
    }

    private string Make(string name) => Directory.CreateDirectory(Path.Combine(_home, name)).FullName;
}
