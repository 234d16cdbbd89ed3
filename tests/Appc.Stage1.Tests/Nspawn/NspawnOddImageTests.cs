using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>Images and manifests that are legal, and unlike most: they run as they say, or are refused in words before anything runs.</summary>
public sealed class NspawnOddImageTests : IDisposable
{
    private static readonly Volume Empty = new() { Name = AcName.Parse("v"), Kind = VolumeKind.Empty };

    private readonly NspawnFixture _fixture;
    private readonly NspawnPod _pod;
    private readonly string _layer;

    public NspawnOddImageTests(NspawnFixture fixture)
    {
        _fixture = fixture;
        _pod = new NspawnPod(fixture);
        _layer = Directory.CreateDirectory(Path.Combine(_pod.Directory, "layer")).FullName;
        _pod.Layers = [fixture.Image, _layer];
    }

    public void Dispose() => _pod.Dispose();

    [Theory]
    [InlineData("/missing", "does not exist in the image")]
    [InlineData("/bin/busybox", "is not a directory")]
    [InlineData("/bin/../missing", "does not exist in the image")]
    [InlineData("/secret", "cannot be entered by the user 1000: /secret has the mode 700 and is of 0:0")]
    [InlineData("/secret/inner", "cannot be entered by the user 1000: /secret has the mode 700")]
    [InlineData("/data/below-the-volume", "does not exist in the image or its volumes")]
    [InlineData("/data", "is not a directory")]
    public async Task A_working_directory_that_cannot_be_one_is_refused(string path, string why)
    {
        Make("secret/inner");
        PodFilesWriter.SetMode(Path.Combine(_layer, "secret"), 0x1c0);
        RuntimeApp runtime = new();
        if (path.StartsWith("/data", StringComparison.Ordinal))
        {
            string file = Path.Combine(_pod.Directory, "file");
            await File.WriteAllTextAsync(file, "");
            _pod.Volumes = [path == "/data" ? new Volume { Name = Empty.Name, Kind = VolumeKind.Host, Source = file } : Empty];
            runtime = new RuntimeApp { Mounts = [new Mount(Empty.Name, path == "/data" ? "/data/file" : "/data")] };
            path = path == "/data" ? "/data/file" : path;
        }

        LaunchException e = await RefusedAsync(a => a with { User = "1000", WorkingDirectory = path }, runtime);
        Assert.Contains($"the working directory {path} of the app main {why}", e.Message, StringComparison.Ordinal);
        Assert.NotNull(e.Hint);
    }

    [Fact]
    public async Task A_working_directory_may_be_one_of_a_volume_or_for_its_user_alone()
    {
        Make("mine");
        PodFilesWriter.SetMode(Path.Combine(_layer, "mine"), 0x1c0);
        Own(Path.Combine(_layer, "mine"), 1000);
        string source = Directory.CreateDirectory(Path.Combine(_pod.Directory, "source/inner")).Parent!.FullName;
        _pod.Volumes = [new Volume { Name = Empty.Name, Kind = VolumeKind.Host, Source = source }];
        _pod.Shell("pwd", a => a with { User = "1000", WorkingDirectory = "/mine" });
        _pod.Shell("pwd", a => a with { WorkingDirectory = "/data/inner" }, new RuntimeApp { Mounts = [new Mount(Empty.Name, "/data")] });
        await _pod.RunAsync();
        Assert.Equal(("/mine\n", "/data/inner\n"), (_pod.Output(), _pod.Output("app2")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_the_image_has_in_run_is_there(bool readOnly)
    {
        Make("run/app");
        Make("run/a \"b:c%d\\");
        Make("run/systemd/own");
        await File.WriteAllTextAsync(Path.Combine(_layer, "run/file"), "of the image\n");
        _pod.Shell(
            "cat /run/file; pwd; ls /run; touch /run/new && echo new; touch /run/app/new 2> /dev/null && echo inside",
            a => a with { WorkingDirectory = "/run/app" },
            new RuntimeApp { ReadOnlyRootFs = readOnly });
        Assert.Equal($"of the image\n/run/app\na \"b:c%d\\\napp\nfile\nsystemd\nnew\n{(readOnly ? "" : "inside\n")}", await _pod.RunAsync());
        Assert.Equal(!readOnly, File.Exists(Path.Combine(_pod.Directory, "stage1/apps/main/upper/run/app/new")));
        _pod.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData("proc")]
    [InlineData("sys")]
    [InlineData("dev")]
    [InlineData("run")]
    public async Task A_file_in_the_place_of_a_file_system_is_refused(string name)
    {
        await File.WriteAllTextAsync(Path.Combine(_layer, name), "");
        LaunchException e = await RefusedAsync(a => a);
        Assert.Contains($"/{name} is a file in the image", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_may_lack_every_directory_or_have_links_in_their_place()
    {
        using NspawnPod bare = new(_fixture);
        string layer = Directory.CreateDirectory(Path.Combine(bare.Directory, "layer")).FullName;
        File.Copy("/usr/bin/busybox", Path.Combine(layer, "sh"));
        bare.Layers = [layer];
        await bare.Add(new App { Exec = ["/sh", "-c", "echo $PPID > /dev/null; read line < /proc/self/cmdline; echo /*"] }).RunAsync();
        Assert.Superset(new HashSet<string>(["/dev", "/etc", "/proc", "/run", "/sh", "/sys"]), bare.Output().TrimEnd().Split(' ').ToHashSet());

        using NspawnPod linked = new(_fixture);
        layer = Directory.CreateDirectory(Path.Combine(linked.Directory, "layer")).FullName;
        Directory.CreateDirectory(Path.Combine(layer, "real"));
        foreach (string name in (string[])["sys", "tmp", "etc"])
        {
            Directory.CreateDirectory(Path.Combine(layer, "real", name));
            File.CreateSymbolicLink(Path.Combine(layer, name), (name == "etc" ? "/" : "") + "real/" + name);
        }

        File.Copy("/usr/bin/busybox", Path.Combine(layer, "sh"));
        linked.Layers = [layer];
        await linked.Add(new App { Exec = ["/sh", "-c", "echo x > /tmp/y; echo /real/tmp/* /etc/host*; [ -e /real/sys/class ] && echo sys"] }).RunAsync();
        Assert.Equal(("exited 0 success", "/real/tmp/y /etc/hostname /etc/hosts\nsys\n"), (linked.Status(), linked.Output()));
    }

    [Fact]
    public async Task What_the_kernel_hands_to_no_program_is_refused()
    {
        Assert.Contains("an argument of the app main holds a zero character", (await RefusedAsync(a => a with { Exec = ["/bin/true", "a\0b"] })).Message, StringComparison.Ordinal);
        Assert.Contains("an argument of the app main has 200000 bytes", (await RefusedAsync(a => a with { Exec = ["/bin/true", new string('x', 200_000)] })).Message, StringComparison.Ordinal);
        Assert.Contains(
            "the variable LONG of the app main has 200005 bytes",
            (await RefusedAsync(a => a with { Environment = [new EnvironmentVariable("LONG", new string('x', 200_000))] })).Message,
            StringComparison.Ordinal);
        Assert.Contains("there is no group 4294967296", (await RefusedAsync(a => a with { SupplementaryGids = [4294967296] })).Message, StringComparison.Ordinal);
        Assert.Contains("the id 2147483648 cannot be used in a pod", (await RefusedAsync(a => a with { User = "2147483648" })).Message, StringComparison.Ordinal);
        Assert.Contains("no group named 'nobody'", (await RefusedAsync(a => a with { Group = "nobody" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_and_long_arguments_and_variables_arrive()
    {
        // As units write them, the arguments are a line of six million bytes, of which systemd would read one.
        _pod.Add(new App
        {
            Exec = ["/bin/sh", "-c", "shift; echo $# ${#1} ${#15}; env | grep -c ^V; echo \"$V999\"", "zero", "one", .. Enumerable.Repeat(new string('\n', 100_000), 15)],
            Environment = [.. Enumerable.Range(0, 1000).Select(i => new EnvironmentVariable($"V{i}", $"=a=b\n{i}=="))],
        });
        Assert.Equal("15 100000 100000\n1000\n=a=b\n999==\n", await _pod.RunAsync());
    }

    [Fact]
    public async Task Variables_that_systemd_does_not_take_are_for_the_user_alone()
    {
        _pod.Shell(
            "tr '\\0' '\\n' < /proc/$$/environ | grep -c '^with.period=.'; stat -c '%u %a' /run/appc/start; cat /run/appc/start 2>&1 | grep -c denied",
            a => a with { User = "1000", Environment = [new EnvironmentVariable("with.period", "secret")] });
        Assert.Equal("1\n1000 100\n1\n", await _pod.RunAsync());
        Assert.Equal("exited 0 success", _pod.Status());
    }

    [Fact]
    public async Task Apps_of_one_image_each_have_a_clean_copy()
    {
        for (int i = 0; i < 12; i++)
        {
            _pod.Shell($"touch /of-$AC_APP_NAME; sleep 0.2; echo /of-*");
        }

        await _pod.RunAsync();
        Assert.Equal(
            ["/of-main\n", .. Enumerable.Range(2, 11).Select(i => $"/of-app{i}\n")], _pod.Describe().Apps.Select(a => _pod.Output(a.Name.ToString())));
        _pod.AssertNothingIsLeft();
    }

    private async Task<LaunchException> RefusedAsync(Func<App, App> change, RuntimeApp? runtime = null)
    {
        using NspawnPod pod = new(_fixture) { Layers = _pod.Layers, Volumes = _pod.Volumes };
        pod.Shell("echo ran", change, runtime);
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(pod.StartAsync);
        pod.ReleaseLock();
        pod.AssertNothingIsLeft();
        return e;
    }

    private void Make(string path) => Directory.CreateDirectory(Path.Combine(_layer, path));

    private static unsafe void Own(string path, uint id)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            Assert.Equal(0, Libc.fchownat(Libc.AT_FDCWD, p, id, id, 0));
        }
    }
}
