using Appc.Manifests;

namespace Appc.Stage1.Fly;

/// <summary>Volumes of fly pods: what differs from nspawn pods, and what must not.</summary>
public sealed class FlyVolumeTests : IDisposable
{
    private readonly LogLines _log = new();
    private readonly FlyStage1 _stage1;
    private readonly FlyPod _pod = new();
    private readonly string _host;

    public FlyVolumeTests()
    {
        _stage1 = new FlyStage1(_log);
        _host = Directory.CreateDirectory(Path.Combine(_pod.Base, "host")).FullName;
    }

    public void Dispose()
    {
        _stage1.Dispose();
        _pod.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_volume_of_the_app_alone_one_in_memory_and_a_directory_of_another(bool keeper)
    {
        Directory.CreateDirectory(Path.Combine(_host, "a/b"));
        await File.WriteAllTextAsync(Path.Combine(_host, "a/b/file"), "sub\n");
        _pod.Options = new Stage1Options { RecordsOwnEnd = keeper };
        _pod.Volumes = [Empty("v"), Empty("m") with { Mode = "2770", Uid = 5, Gid = 6 }, Empty("e") with { Mode = "2775" }, Host("h", _host)];
        _pod.Annotations = [new Annotation(AcIdentifier.Parse("appc.io/executor/tmpfs/m"), "1Mi")];
        Mount(
            new Mount(AcName.Parse("v"), "/v") { AppVolume = Host("own", _host) with { ReadOnly = true } },
            new Mount(AcName.Parse("m"), "/m"), new Mount(AcName.Parse("m"), "/again"), new Mount(AcName.Parse("e"), "/e"), new Mount(AcName.Parse("h"), "/h"));
        _pod.Runtime = _pod.Runtime with { Annotations = [SubPath("h", "a/b"), SubPath("e", "new")] };
        _pod.Shell("cat /v/a/b/file /h/file; (echo > /v/x) 2>&1; stat -c '%a %u %g' /m; grep -c ' /m .*tmpfs' /proc/self/mountinfo; dd if=/dev/zero of=/m/big bs=64k count=32 2>&1 | grep -c 'No space'; ls /again; echo > /e/here");
        string output = await _pod.RunAsync(_stage1);
        Assert.Equal("", _pod.Error);
        Assert.StartsWith("sub\nsub\n", output, StringComparison.Ordinal);
        Assert.Contains("Read-only file system", output, StringComparison.Ordinal);
        Assert.EndsWith("2770 5 6\n1\n1\nbig\n", output, StringComparison.Ordinal);
        string volumes = Path.Combine(_pod.Directory, "stage1/volumes");
        Assert.True(File.Exists(Path.Combine(volumes, "e/new/here")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(volumes, "m")));
        Assert.True(Linux.Libc.TryStat(Path.Combine(volumes, "e"), out Linux.Libc.Statx stat));
        Assert.Equal(Convert.ToInt32("2775", 8), stat.Mode & 0xfff);
    }

    [Fact]
    public async Task One_inside_another_and_places_among_the_devices()
    {
        Directory.CreateDirectory(Path.Combine(_host, "place"));
        _pod.Volumes = [Host("h", _host) with { ReadOnly = true }, Empty("e"), Host("zero", "/dev/zero"), Empty("s")];
        Mount(new Mount(AcName.Parse("e"), "/h/place"), new Mount(AcName.Parse("h"), "/h"), new Mount(AcName.Parse("zero"), "/dev/mine"), new Mount(AcName.Parse("s"), "/dev/shm"));
        _pod.Shell("echo x > /h/place/x && cat /h/place/x; dd if=/dev/mine bs=4 count=1 2> /dev/null | grep -c .; echo s > /dev/shm/s; (echo > /dev/new) 2>&1");
        Assert.Equal("x\n1\n/bin/sh: can't create /dev/new: Read-only file system\n", await _pod.RunAsync(_stage1));
        Assert.True(File.Exists(Path.Combine(_pod.Directory, "stage1/volumes/s/s")));
        Assert.Equal(["place"], Directory.EnumerateFileSystemEntries(_host).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_file_of_the_image_makes_way_and_that_is_told()
    {
        _pod.Volumes = [Empty("e")];
        Mount(new Mount(AcName.Parse("e"), "/etc/passwd"));
        _pod.App = _pod.App with { User = "0", Group = "0" };
        _pod.Shell("ls -d /etc/passwd/.");
        Assert.Equal("/etc/passwd/.\n", await _pod.RunAsync(_stage1));
        Assert.Single(_log.Lines, l => l.Contains("/etc/passwd", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(_pod.Layer, "etc/passwd")));
    }

    [Fact]
    public async Task Nothing_is_made_on_the_host_and_what_cannot_be_is_refused()
    {
        foreach ((Mount[] mounts, Volume volume, string why) in ((Mount[], Volume, string)[])
        [
            ([new Mount(AcName.Parse("h"), "/h"), new Mount(AcName.Parse("e"), "/h/missing")], Empty("e"), "missing is no directory"),
            ([new Mount(AcName.Parse("e"), "/proc/sys")], Empty("e"), "cannot be mounted at '/proc/sys'"),
            ([new Mount(AcName.Parse("e"), "/e")], Empty("e") with { Uid = 1L << 32 }, "there is no user or group 4294967296"),
            ([new Mount(AcName.Parse("e"), "/e")], Empty("e") with { Uid = uint.MaxValue }, "there is no user or group 4294967295"),
            ([new Mount(AcName.Parse("e"), "/e")], Empty("e") with { Mode = "79" }, "is not octal"),
        ])
        {
            _pod.Volumes = [Host("h", _host), volume];
            Mount(mounts);
            _pod.Shell("true");
            LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
            Assert.Contains(why, e.Message, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(_host));
    }

    private void Mount(params Mount[] mounts) => _pod.Runtime = _pod.Runtime with { Mounts = mounts };

    private static Annotation SubPath(string volume, string path) => new(AcIdentifier.Parse("appc.io/executor/sub-path/" + volume), path);

    private static Volume Empty(string name) => new() { Name = AcName.Parse(name), Kind = VolumeKind.Empty };

    private static Volume Host(string name, string source) => new() { Name = AcName.Parse(name), Kind = VolumeKind.Host, Source = source };
}
