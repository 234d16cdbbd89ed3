using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>Volumes of whatever sort, at whatever place.</summary>
public sealed class NspawnVolumeTests : IDisposable
{
    private readonly NspawnFixture _fixture;
    private readonly NspawnPod _pod;
    private readonly string _host;

    public NspawnVolumeTests(NspawnFixture fixture)
    {
        _fixture = fixture;
        Directory.CreateDirectory(Path.Combine(fixture.Root, "uidranges"));
        _pod = new NspawnPod(fixture);
        _host = Directory.CreateTempSubdirectory("appc-volumes-").FullName;
    }

    public void Dispose()
    {
        _pod.Dispose();
        Directory.Delete(_host, recursive: true);
    }

    [Fact]
    public async Task Places_that_systemd_mounts_over_are_seen_with_what_was_asked_for()
    {
        await File.WriteAllTextAsync(Path.Combine(_host, "secret"), "s3cret\n");
        string layer = Directory.CreateDirectory(Path.Combine(_pod.Directory, "layer")).FullName;
        Directory.CreateDirectory(Path.Combine(layer, "var"));
        File.CreateSymbolicLink(Path.Combine(layer, "var/run"), "/run");
        _pod.Layers = [_fixture.Image, layer];
        _pod.Volumes = [Host("h", _host), Host("ro", _host) with { ReadOnly = true }, Host("one", Path.Combine(_host, "secret")), Empty("e"), Empty("f")];
        _pod.Shell(
            "cat /run/secrets/secret /run/one /var/run/ro/secret; touch /run/ro/x || echo denied; stat -c '%a %u' /dev/shm; touch /dev/shm/x /dev/own/y && ls /dev/own; echo > /dev/null && echo dev; ls /run/systemd 2>&1 | grep -c secrets",
            runtime: Mounts(("h", "/run/secrets"), ("ro", "/var/run/ro"), ("one", "/run/one"), ("e", "/dev/shm"), ("f", "/dev/own")));
        Assert.Equal("s3cret\ns3cret\ns3cret\ndenied\n755 0\ny\ndev\n0\n", await _pod.RunAsync());
        Assert.True(File.Exists(Path.Combine(_pod.Directory, "stage1/volumes/e/x")));
        _pod.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/../x")]
    [InlineData("/proc")]
    [InlineData("/proc/sys/kernel")]
    [InlineData("/sys")]
    [InlineData("data")]
    public async Task The_kernels_places_and_the_root_are_refused(string path)
    {
        _pod.Volumes = [Empty("e")];
        LaunchException e = await FailAsync(_pod.Shell("true", runtime: Mounts(("e", path))));
        Assert.Contains($"cannot be mounted at '{path}'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_told_of_the_machine_can_be_replaced()
    {
        string file = Path.Combine(_host, "uptime");
        await File.WriteAllTextAsync(file, "0.00 0.00\n");
        _pod.Volumes = [Host("u", file)];
        Assert.Equal("0.00 0.00\n", await _pod.Shell("cat /proc/uptime", runtime: Mounts(("u", "/proc/uptime"))).RunAsync());
    }

    [Fact]
    public async Task One_inside_another_is_found_whatever_the_order()
    {
        string outer = Directory.CreateDirectory(Path.Combine(_host, "outer")).FullName;
        Directory.CreateDirectory(Path.Combine(outer, "place"));
        await File.WriteAllTextAsync(Path.Combine(_host, "file"), "file\n");
        _pod.Volumes = [Host("h", outer) with { ReadOnly = true }, Empty("e"), Empty("f"), Host("one", Path.Combine(_host, "file"))];
        _pod.Shell(
            "echo in > /h/place/x && echo deep > /h/place/deep/y && cat /h/place/a/b/one; touch /h/z || echo denied; stat -c %u /h/place/deep /h/place/a/b",
            runtime: Mounts(("one", "/h/place/a/b/one"), ("f", "/h/place/deep"), ("e", "/h/place"), ("h", "/h")));
        Assert.Equal("file\ndenied\n0\n0\n", await _pod.RunAsync());
        Assert.Equal(["place"], Directory.EnumerateFileSystemEntries(outer, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
        Assert.Equal("deep\n", await File.ReadAllTextAsync(Path.Combine(_pod.Directory, "stage1/volumes/f/y")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_is_made_in_a_volume_of_the_host_for_another(bool privateUsers)
    {
        _pod.Options = new Stage1Options { PrivateUsers = privateUsers };
        _pod.Volumes = [Host("h", _host), Empty("e")];
        LaunchException e = await FailAsync(_pod.Shell("true", runtime: Mounts(("h", "/h"), ("e", "/h/missing/place"))));
        Assert.Contains($"{_host}/missing/place is no directory", e.Message, StringComparison.Ordinal);
        Assert.NotNull(e.Hint);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_host));
    }

    [Fact]
    public async Task A_mount_point_is_read_only_however_its_path_is_written()
    {
        _pod.Volumes = [Host("h", _host)];
        _pod.Shell(
            "touch /data/x || echo denied", a => a with { MountPoints = [new MountPoint(AcName.Parse("h"), "/data/", ReadOnly: true)] }, Mounts(("h", "//data/.")));
        Assert.Equal("denied\n", await _pod.RunAsync());
    }

    [Fact]
    public async Task A_volume_of_one_app_comes_before_the_pods_of_that_name()
    {
        await File.WriteAllTextAsync(Path.Combine(_host, "file"), "own\n");
        _pod.Volumes = [Empty("v")];
        _pod.Shell("cat /v/file; touch /v/x || echo denied", runtime: new RuntimeApp
        {
            Mounts = [new Mount(AcName.Parse("v"), "/v") { AppVolume = Host("own", _host) with { ReadOnly = true } }],
        }).Shell("ls /v", runtime: Mounts(("v", "/v")));
        Assert.Equal("own\ndenied\n", await _pod.RunAsync());
        Assert.Equal("", _pod.Output("app2"));
    }

    [Fact]
    public async Task A_file_of_the_image_makes_way_for_a_directory_and_what_is_not_seen_any_more_is_told()
    {
        string layer = Directory.CreateDirectory(Path.Combine(_pod.Directory, "layer")).FullName;
        Directory.CreateDirectory(Path.Combine(layer, "full"));
        Directory.CreateDirectory(Path.Combine(layer, "hollow"));
        await File.WriteAllTextAsync(Path.Combine(layer, "full/x"), "");
        await File.WriteAllTextAsync(Path.Combine(layer, "file"), "");
        LogLines log = new();
        using NspawnStage1 stage1 = new(loggerFactory: log);
        using NspawnPod pod = new(_fixture) { Stage1 = stage1, Layers = [_fixture.Image, layer] };
        pod.Volumes = [Empty("a"), Empty("b"), Empty("c"), Empty("d")];
        pod.Shell("touch /file/y && ls /file /full /hollow /new", runtime: Mounts(("a", "/file"), ("b", "/full"), ("c", "/hollow"), ("d", "/new")));
        Assert.Equal("/file:\ny\n\n/full:\n\n/hollow:\n\n/new:\n", await pod.RunAsync());
        Assert.Equal(2, log.Lines.Count(l => l.Contains("a volume is mounted over it", StringComparison.Ordinal)));
        Assert.True(File.Exists(Path.Combine(layer, "file")));

        await File.WriteAllTextAsync(Path.Combine(_host, "one"), "");
        _pod.Layers = pod.Layers;
        _pod.Volumes = [Host("one", Path.Combine(_host, "one"))];
        LaunchException e = await FailAsync(_pod.Shell("true", runtime: Mounts(("one", "/full"))));
        Assert.Contains("the image has a directory at /full", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sources_are_there_and_reached_by_no_link()
    {
        Directory.CreateDirectory(Path.Combine(_host, "real/sub"));
        File.CreateSymbolicLink(Path.Combine(_host, "link"), Path.Combine(_host, "real"));
        foreach ((string source, string why) in ((string, string)[])
            [("link", "is a symbolic link"), ("link/sub", "/link in the path of its source"), ("none", "does not exist")])
        {
            using NspawnPod pod = new(_fixture) { Volumes = [Host("v", Path.Combine(_host, source))] };
            LaunchException e = await FailAsync(pod.Shell("true", runtime: Mounts(("v", "/v"))));
            Assert.Contains(why, e.Message, StringComparison.Ordinal);
            Assert.NotNull(e.Hint);
        }

        Assert.False(Directory.Exists(Path.Combine(_host, "none")));
    }

    [Fact]
    public async Task Devices_pipes_and_sockets_can_be_volumes()
    {
        string pipe = Path.Combine(_host, "pipe");
        await HostAsync("mkfifo", pipe);
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_host, "socket")));
        listener.Listen();
        _pod.Volumes = [Host("zero", "/dev/zero"), Host("pipe", pipe), Host("socket", Path.Combine(_host, "socket"))];
        _pod.Shell(
            "for d in /dev/mine /elsewhere; do stat -c '%F %u %a' $d; dd if=$d bs=4 count=1 2> /dev/null | wc -c; done; echo through > /pipe; stat -c %F /socket",
            runtime: Mounts(("zero", "/dev/mine"), ("zero", "/elsewhere"), ("pipe", "/pipe"), ("socket", "/socket")));
        await using FileStream both = new(pipe, FileMode.Open, FileAccess.ReadWrite);
        Assert.Equal("character special file 0 666\n4\ncharacter special file 0 666\n4\nsocket\n", await _pod.RunAsync());
        byte[] read = new byte["through\n".Length];
        await both.ReadExactlyAsync(read).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("through\n"u8.ToArray(), read);
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task What_is_mounted_below_the_source_comes_along_unless_it_shall_not()
    {
        string below = Directory.CreateDirectory(Path.Combine(_host, "below")).FullName;
        await HostAsync("mount", "-t", "tmpfs", "none", below);
        try
        {
            await File.WriteAllTextAsync(Path.Combine(below, "file"), "below\n");
            _pod.Volumes = [Host("all", _host), Host("ro", _host) with { ReadOnly = true }, Host("one", _host) with { Recursive = false }];
            _pod.Shell(
                "cat /all/below/file; touch /all/below/x; touch /ro/below/x || echo denied; ls /one/below; echo ready; cat /stop 2> /dev/null; while [ ! -e /all/stop ]; do sleep 0.05; done; ls /all/late",
                runtime: Mounts(("all", "/all"), ("ro", "/ro"), ("one", "/one")));
            Directory.CreateDirectory(Path.Combine(_host, "late"));
            Stage1Process process = await _pod.StartAndWaitForAsync("ready");

            // What comes later is the host's alone.
            await HostAsync("mount", "-t", "tmpfs", "none", Path.Combine(_host, "late"));
            await File.WriteAllTextAsync(Path.Combine(_host, "late/file"), "");
            await File.WriteAllTextAsync(Path.Combine(_host, "stop"), "");
            await process.Ended.WaitAsync(TimeSpan.FromSeconds(60));
            await HostAsync("umount", Path.Combine(_host, "late"));
            Assert.Equal("below\ndenied\nready\n", _pod.Output());
        }
        finally
        {
            await HostAsync("umount", below);
        }
    }

    [Fact]
    public async Task A_file_system_that_cannot_be_mapped_is_named()
    {
        string below = Directory.CreateDirectory(Path.Combine(_host, "below")).FullName;
        await HostAsync("mount", "-t", "proc", "none", below);
        try
        {
            _pod.Volumes = [Host("h", _host)];
            LaunchException e = await FailAsync(_pod.Shell("true", runtime: Mounts(("h", "/h"))));
            Assert.Contains($"{below}: proc", e.Message, StringComparison.Ordinal);
            Assert.Contains("recursive=false", e.Hint, StringComparison.Ordinal);
            using NspawnPod pod = new(_fixture) { Volumes = [Host("h", _host) with { Recursive = false }] };
            Assert.Equal("below\n", await pod.Shell("ls /h", runtime: Mounts(("h", "/h"))).RunAsync());
        }
        finally
        {
            await HostAsync("umount", below);
        }
    }

    [Fact]
    public async Task A_volume_in_memory_is_shared_holds_so_much_and_leaves_nothing_on_disk()
    {
        _pod.Volumes = [Empty("m") with { Mode = "1770", Uid = 5, Gid = 6 }];
        _pod.Annotations = [new Annotation(AcIdentifier.Parse("appc.io/executor/tmpfs/m"), "1Mi")];
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        _pod.Shell("stat -c '%a %u %g' /m; grep -c ' /m .*tmpfs' /proc/self/mountinfo; dd if=/dev/zero of=/m/big bs=64k count=32 2>&1 | grep -c 'No space'; rm /m/big; echo shared > /m/x", runtime: Mounts(("m", "/m")))
            .Shell("while ! cat /n/x 2> /dev/null; do sleep 0.05; done; stat -c %u /n/x", runtime: Mounts(("m", "/n")));
        Assert.Equal("1770 5 6\n1\n1\n", await _pod.RunAsync());
        Assert.Equal("shared\n0\n", _pod.Output("app2"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_pod.Directory, "stage1/volumes")));
        _pod.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Apps_get_directories_of_a_volume(bool inMemory)
    {
        Directory.CreateDirectory(Path.Combine(_host, "a/b"));
        await File.WriteAllTextAsync(Path.Combine(_host, "a/b/file"), "sub\n");
        _pod.Volumes = [Empty("e"), Host("h", _host)];
        _pod.Annotations = inMemory ? [new Annotation(AcIdentifier.Parse("appc.io/executor/tmpfs/e"), "1Mi")] : [];
        _pod.Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit };
        _pod.Shell("cat /h/file; echo one > /e/x; stat -c '%a %u' /e; ls /e", runtime: WithSubPaths(Mounts(("e", "/e"), ("h", "/h")), ("e", "one/deep"), ("h", "a/b")))
            .Shell("while ! cat /e/one/deep/x 2> /dev/null; do sleep 0.05; done", runtime: Mounts(("e", "/e")));
        Assert.Equal("sub\n755 0\nx\n", await _pod.RunAsync());
        Assert.Equal("one\n", _pod.Output("app2"));
    }

    [Fact]
    public async Task No_link_leads_a_sub_path_out_of_its_volume()
    {
        File.CreateSymbolicLink(Path.Combine(_host, "out"), "/etc");
        _pod.Volumes = [Host("h", _host)];
        LaunchException e = await FailAsync(_pod.Shell("true", runtime: WithSubPaths(Mounts(("h", "/h")), ("h", "out"))));
        Assert.Contains("symbolic link", e.Message, StringComparison.Ordinal);

        using NspawnPod pod = new(_fixture) { Volumes = [Empty("e")] };
        string volume = Directory.CreateDirectory(Path.Combine(pod.Directory, "stage1/volumes/e")).FullName;
        File.CreateSymbolicLink(Path.Combine(volume, "out"), _host);
        await FailAsync(pod.Shell("true", runtime: WithSubPaths(Mounts(("e", "/e")), ("e", "out/new"))));
        Assert.Equal(["out"], Directory.EnumerateFileSystemEntries(_host).Select(Path.GetFileName));
    }

    private static Volume Empty(string name) => new() { Name = AcName.Parse(name), Kind = VolumeKind.Empty };

    private static Volume Host(string name, string source) => new() { Name = AcName.Parse(name), Kind = VolumeKind.Host, Source = source };

    private static RuntimeApp Mounts(params (string Volume, string Path)[] mounts) =>
        new() { Mounts = [.. mounts.Select(m => new Mount(AcName.Parse(m.Volume), m.Path))] };

    private static RuntimeApp WithSubPaths(RuntimeApp app, params (string Volume, string Path)[] paths) =>
        app with { Annotations = [.. paths.Select(p => new Annotation(AcIdentifier.Parse("appc.io/executor/sub-path/" + p.Volume), p.Path))] };

    private static async Task<LaunchException> FailAsync(NspawnPod pod)
    {
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(pod.StartAsync);
        pod.ReleaseLock();
        pod.AssertNothingIsLeft();
        return e;
    }

    private static async Task HostAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, string.Create(CultureInfo.InvariantCulture, $"{program} ended with {process.ExitCode}"));
    }
}
