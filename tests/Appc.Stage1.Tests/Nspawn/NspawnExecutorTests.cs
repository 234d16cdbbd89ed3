using System.Globalization;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

public sealed class NspawnExecutorTests(NspawnFixture fixture) : IDisposable
{
    private readonly NspawnPod _pod = new(fixture);

    public void Dispose() => _pod.Dispose();

    [Theory]
    [InlineData(4294967296)]
    [InlineData(4294967295)]
    [InlineData(65536)]
    public async Task A_group_that_there_is_not_becomes_no_other_one(long group)
    {
        // Cut to 32 bits the first of them would be root's.
        _pod.Shell("true", a => a with { SupplementaryGids = [group] });
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => _pod.StartAsync());
        Assert.Contains(group.ToString(CultureInfo.InvariantCulture), e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_pod.CGroup));
    }

    [Theory]
    [InlineData("exit 0", "exited 0 success")]
    [InlineData("exit 7", "exited 7 exit-code")]
    [InlineData("exit 255", "exited 255 exit-code")]
    [InlineData("kill -SEGV $$", "killed SEGV signal")]
    [InlineData("kill -9 $$", "killed KILL signal")]
    [InlineData("kill -TERM $$", "killed TERM success")]
    public async Task The_end_is_recorded(string script, string status)
    {
        await _pod.Shell(script).RunAsync();
        Assert.Equal(status, _pod.Status().Replace("dumped SEGV core-dump", "killed SEGV signal", StringComparison.Ordinal));
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Arguments_arrive_byte_for_byte()
    {
        string[] arguments =
        [
            "a b", "", "\"", "'", "\\", "$HOME", "${HOME}", "$$", "%n", "%%", "a\nb", "a\tb", ";", "#x", "@", "é€😀", "\x01", "\x7f", "*", "~", "-", "=", "\\x41",
        ];
        _pod.Add(new App { Exec = ["/bin/sh", "-c", "for a; do printf '%s' \"$a\" | od -An -v -tx1 | tr -d ' \\n'; echo; done", "zero", .. arguments] });
        string output = await _pod.RunAsync();
        Assert.Equal(arguments.Select(a => Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(a))), output.Split('\n')[..^1]);
    }

    [Fact]
    public async Task The_environment_is_the_manifests_and_nothing_else()
    {
        _pod.Add(new App
        {
            Exec = ["/bin/env"],
            Environment =
            [
                new EnvironmentVariable("SPECIAL", "a \"b\" '$c' %d \\e"), new EnvironmentVariable("TERM", "vt52"), new EnvironmentVariable("LANG", "x"),
            ],
        });
        string[] lines = (await _pod.RunAsync()).TrimEnd().Split('\n');
        Assert.Equal(
            [
                "AC_APP_NAME=main", "HOME=/root", "LANG=x", "LOGNAME=root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "SHELL=/bin/sh", "SPECIAL=a \"b\" '$c' %d \\e", "TERM=vt52", "USER=root", "container=appc",
            ],
            lines.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("1000", "2000", "uid=1000 gid=2000 groups=2000,50,60")]
    [InlineData("web", "staff", "uid=1234 gid=3456 groups=3456,50,60")]
    [InlineData("/bin/busybox", "/etc", "uid=0 gid=0 groups=0,50,60")]
    [InlineData("0", "65534", "uid=0 gid=65534 groups=65534,50,60")]
    public async Task The_user_is_looked_up_in_the_image(string user, string group, string expected)
    {
        _pod.Shell("id -u; id -g; id -G", a => a with { User = user, Group = group, SupplementaryGids = [50, 60] });
        string[] lines = (await _pod.RunAsync()).TrimEnd().Split('\n');
        string[] groups = [.. lines[2].Split(' ').Distinct()];
        Assert.Equal(expected, $"uid={lines[0]} gid={lines[1]} groups={string.Join(',', groups)}");
    }

    [Fact]
    public async Task A_program_is_looked_for_in_the_path_and_keeps_its_name()
    {
        _pod.Add(new App { Exec = ["sh", "-c", "cat /proc/self/cmdline | tr '\\0' ' '; echo; pwd; readlink /proc/$$/exe"], WorkingDirectory = "/data" });
        Assert.Equal("cat /proc/self/cmdline \n/data\n/bin/busybox\n", await _pod.RunAsync());
    }

    [Fact]
    public async Task A_missing_program_user_or_directory_is_said_before_anything_runs()
    {
        async Task<LaunchException> Fail(App app)
        {
            using NspawnPod pod = new(fixture);
            LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => pod.Add(app).StartAsync());
            pod.ReleaseLock();
            pod.AssertNothingIsLeft();
            return e;
        }

        Assert.Contains("/bin/nothing of the app main does not exist", (await Fail(new App { Exec = ["/bin/nothing"] })).Message, StringComparison.Ordinal);
        Assert.Contains("is not an executable file", (await Fail(new App { Exec = ["/etc/passwd"] })).Message, StringComparison.Ordinal);
        Assert.Contains("no user named 'ghost'", (await Fail(new App { Exec = ["/bin/true"], User = "ghost" })).Message, StringComparison.Ordinal);
        Assert.Contains("working directory /no", (await Fail(new App { Exec = ["/bin/true"], WorkingDirectory = "/no" })).Message, StringComparison.Ordinal);
        Assert.Contains("id 70000", (await Fail(new App { Exec = ["/bin/true"], User = "70000" })).Message, StringComparison.Ordinal);
        Assert.Contains("id 65535", (await Fail(new App { Exec = ["/bin/true"], Group = "65535" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_cannot_be_executed_ends_with_203()
    {
        string layer = Directory.CreateDirectory(Path.Combine(_pod.Directory, "layer")).FullName;
        await File.WriteAllTextAsync(Path.Combine(layer, "broken"), "#!/no/such/interpreter\n");
        PodFilesWriter.SetMode(Path.Combine(layer, "broken"), 0x1ed);
        _pod.Layers = [fixture.Image, layer];
        await _pod.Add(new App { Exec = ["/broken"] }).RunAsync();
        Assert.Equal("exited 203 exit-code", _pod.Status());
    }

    [Fact]
    public async Task A_read_only_root_stays_so_while_volumes_are_written_to()
    {
        _pod.Volumes = [new Volume { Name = AcName.Parse("data"), Kind = VolumeKind.Empty, Mode = "0770", Uid = 5, Gid = 6 }];
        _pod.Shell(
            "touch /x || echo root denied; mount -o remount,rw / || echo remount denied; touch /data/y && echo written; stat -c '%u %g %a' /data; echo > /dev/null && touch /dev/shm/z && echo dev",
            runtime: new RuntimeApp { ReadOnlyRootFs = true, Mounts = [new Mount(AcName.Parse("data"), "/data")] });
        Assert.Equal("root denied\nremount denied\nwritten\n5 6 770\ndev\n", await _pod.RunAsync());
    }

    [Fact]
    public async Task Volumes_of_the_host_keep_their_owners()
    {
        string source = Directory.CreateDirectory(Path.Combine(_pod.Directory, "source")).FullName;
        string single = Path.Combine(_pod.Directory, "single");
        await File.WriteAllTextAsync(Path.Combine(source, "from-host"), "host\n");
        await File.WriteAllTextAsync(single, "one file\n");
        _pod.Volumes =
        [
            new Volume { Name = AcName.Parse("rw"), Kind = VolumeKind.Host, Source = source },
            new Volume { Name = AcName.Parse("ro"), Kind = VolumeKind.Host, Source = source, ReadOnly = true },
            new Volume { Name = AcName.Parse("file"), Kind = VolumeKind.Host, Source = single },
        ];
        _pod.Shell(
            "cat /data/from-host /deep/er/file; echo pod > /data/from-pod; chown 7:8 /data/from-pod; touch /ro/x || echo denied; stat -c '%u' /data/from-host /deep /deep/er",
            runtime: new RuntimeApp
            {
                Mounts = [new Mount(AcName.Parse("rw"), "/data"), new Mount(AcName.Parse("ro"), "/ro"), new Mount(AcName.Parse("file"), "/deep/er/file")],
            });
        Assert.Equal("host\none file\ndenied\n0\n0\n0\n", await _pod.RunAsync());
        Assert.Equal("pod\n", await File.ReadAllTextAsync(Path.Combine(source, "from-pod")));
        Assert.True(Linux.Libc.TryStat(Path.Combine(source, "from-pod"), out Linux.Libc.Statx stat));
        Assert.Equal((7u, 8u), (stat.Uid, stat.Gid));
        Assert.False(Directory.Exists(Path.Combine(fixture.Image, "deep")));
    }

    [Fact]
    public async Task A_link_in_the_image_leads_no_mount_out_of_the_root()
    {
        string layer = Directory.CreateDirectory(Path.Combine(_pod.Directory, "layer")).FullName;
        string outside = Directory.CreateDirectory(Path.Combine(_pod.Directory, "outside")).FullName;
        File.CreateSymbolicLink(Path.Combine(layer, "trap"), outside);
        _pod.Layers = [fixture.Image, layer];
        _pod.Volumes = [new Volume { Name = AcName.Parse("v"), Kind = VolumeKind.Empty }];
        _pod.Shell("true", runtime: new RuntimeApp { Mounts = [new Mount(AcName.Parse("v"), "/trap/in")] });
        await Assert.ThrowsAsync<LaunchException>(() => _pod.StartAsync());
        _pod.ReleaseLock();
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Many_layers_are_stacked()
    {
        List<string> layers = [fixture.Image];
        for (int i = 0; i < 230; i++)
        {
            string layer = Directory.CreateDirectory(Path.Combine(_pod.Directory, $"layer-{i}")).FullName;
            await File.WriteAllTextAsync(Path.Combine(layer, "last"), $"{i}\n");
            layers.Add(layer);
        }

        _pod.Layers = layers;
        Assert.Equal("229\n", await _pod.Shell("cat /last").RunAsync());
    }

    [Fact]
    public async Task Output_is_appended_to_files_that_the_app_does_not_reach()
    {
        _pod.Shell("echo out; echo err >&2; cat; echo more");
        Assert.Equal("out\nmore\n", await _pod.RunAsync());
        Assert.Equal("err\n", _pod.Error());
    }

    [Fact]
    public async Task The_oom_score_is_as_asked_also_below_zero()
    {
        if (!MayLowerOomScore())
        {
            _pod.Shell("true", a => a with { Isolators = [NspawnPod.Isolator("os/linux/oom-score-adj", "-300")] });
            LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => _pod.StartAsync());
            Assert.Contains("OOM killer", e.Message, StringComparison.Ordinal);
            return;
        }

        _pod.Shell("cat /proc/self/oom_score_adj", a => a with { Isolators = [NspawnPod.Isolator("os/linux/oom-score-adj", "-300")] });
        _pod.Shell("cat /proc/self/oom_score_adj", a => a with { Isolators = [NspawnPod.Isolator("os/linux/oom-score-adj", "200")] });
        _pod.Shell("cat /proc/self/oom_score_adj");
        await _pod.RunAsync();
        Assert.Equal(("-300\n", "200\n", "0\n"), (_pod.Output(), _pod.Output("app2"), _pod.Output("app3")));
    }

    [Fact]
    public async Task An_oom_score_above_zero_is_for_its_app_alone()
    {
        _pod.Shell("cat /proc/self/oom_score_adj", a => a with { Isolators = [NspawnPod.Isolator("os/linux/oom-score-adj", "200")] });
        _pod.Shell("cat /proc/self/oom_score_adj");
        await _pod.RunAsync();
        Assert.Equal(("200\n", "0\n"), (_pod.Output(), _pod.Output("app2")));
    }

    [Fact]
    public async Task An_app_cannot_forge_its_end()
    {
        _pod.Shell("exit 4", a => a with { Environment = [new EnvironmentVariable("EXIT_STATUS", "0")] });
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => _pod.StartAsync());
        Assert.Contains("EXIT_STATUS", e.Message, StringComparison.Ordinal);
    }

    /// <summary>CAP_SYS_RESOURCE, which containers and some virtual machines withhold from their root.</summary>
    private static bool MayLowerOomScore()
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
        return (Convert.ToUInt64(line[7..].Trim(), 16) & (1UL << 24)) != 0;
    }
}
