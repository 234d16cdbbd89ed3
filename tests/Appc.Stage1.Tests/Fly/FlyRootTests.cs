using Appc.Manifests;

namespace Appc.Stage1.Fly;

public sealed class FlyRootTests : IDisposable
{
    private readonly FlyStage1 _stage1 = new();
    private readonly FlyPod _pod = new();

    public void Dispose()
    {
        _stage1.Dispose();
        _pod.Dispose();
    }

    [Fact]
    public async Task The_app_sees_its_image_and_writes_to_a_layer_of_its_own()
    {
        _pod.Shell("echo new > /new; cat /new /etc/passwd; ls -d /usr /work /home 2>/dev/null; true");
        string output = await _pod.RunAsync(_stage1);
        Assert.StartsWith("new\nroot:x:0", output, StringComparison.Ordinal);
        Assert.DoesNotContain("/usr", output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_pod.Layer, "new")));
        Assert.Equal("new\n", await File.ReadAllTextAsync(Path.Combine(_pod.Directory, "stage1/upper/new")));
        Assert.Equal("exited 0 success", _pod.Status);
    }

    [Fact]
    public async Task The_top_layer_wins_and_links_lead_through_all_layers()
    {
        string top = Directory.CreateDirectory(Path.Combine(_pod.Base, "top")).FullName;
        Directory.CreateDirectory(Path.Combine(top, "etc"));
        await File.WriteAllTextAsync(Path.Combine(top, "etc/real"), "top:x:77:78::/t:/bin/sh\n");
        File.CreateSymbolicLink(Path.Combine(top, "etc/passwd"), "/etc/../etc/real");
        _pod.Layers = [_pod.Layer, top];
        _pod.App = _pod.App with { User = "top", Group = "staff" };
        _pod.Shell("cat /etc/passwd; id -u; id -g; pwd; echo $HOME");
        Assert.Equal("top:x:77:78::/t:/bin/sh\n77\n3456\n/\n/t\n", await _pod.RunAsync(_stage1));
    }

    [Theory]
    [InlineData(60)]
    [InlineData(230)]
    public async Task Many_layers_are_stacked(int count)
    {
        List<string> layers = [_pod.Layer];
        for (int i = 0; i < count; i++)
        {
            string layer = Directory.CreateDirectory(Path.Combine(_pod.Base, $"layer-{i}-" + new string('x', 128))).FullName;
            await File.WriteAllTextAsync(Path.Combine(layer, $"f{i}"), $"{i}");
            await File.WriteAllTextAsync(Path.Combine(layer, "last"), $"{i}\n");
            layers.Add(layer);
        }

        _pod.Layers = layers;
        _pod.Shell("cat /last; ls /f* | while read f; do echo x; done | grep -c x");
        Assert.Equal($"{count - 1}\n{count}\n", await _pod.RunAsync(_stage1));
    }

    [Fact]
    public async Task Paths_of_the_host_do_not_show()
    {
        _pod.Shell("cat /proc/self/mountinfo");
        string output = await _pod.RunAsync(_stage1);
        Assert.Contains(" - overlay ", output, StringComparison.Ordinal);
        Assert.DoesNotContain(_pod.Base, output, StringComparison.Ordinal);
        Assert.DoesNotContain("appc-fly", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_root_cannot_be_written()
    {
        _pod.Runtime = _pod.Runtime with { ReadOnlyRootFs = true };
        _pod.Shell("touch /x 2>&1; echo ok > /dev/shm/y && cat /dev/shm/y");
        string output = await _pod.RunAsync(_stage1);
        Assert.Contains("Read-only file system", output, StringComparison.Ordinal);
        Assert.EndsWith("ok\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Devices_are_the_harmless_ones_and_no_other_can_be_made()
    {
        _pod.Shell("ls /dev; echo x > /dev/null; dd if=/dev/zero bs=4 count=1 2>/dev/null | grep -c .; " +
            "mknod /dev/sda b 254 0 2>&1; mknod /sda b 254 0 2>&1; dd if=/sda of=/dev/null count=1 2>&1; echo pts > /dev/pts/x 2>&1");
        string output = await _pod.RunAsync(_stage1);
        string[] names = output.Split('\n')[..14];
        Assert.Equal(["console", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"], names);
        Assert.Contains("mknod: /dev/sda: Read-only file system", output, StringComparison.Ordinal);
        Assert.Contains("dd: can't open '/sda': Permission denied", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kernel_settings_of_the_host_cannot_be_changed_or_read()
    {
        string before = await File.ReadAllTextAsync("/proc/sys/kernel/core_pattern");
        _pod.Shell("(echo evil > /proc/sys/kernel/core_pattern) 2>&1; (echo b > /proc/sysrq-trigger) 2>&1; " +
            "dd if=/proc/kcore bs=1 count=1 2>/dev/null | grep -c .; cat /proc/keys; cat /proc/kallsyms; ls /sys/firmware /sys/module; (echo x > /sys/kernel/uevent_helper) 2>&1; ls -d /proc/[0-9]* | grep -c .");
        string output = await _pod.RunAsync(_stage1);
        Assert.Equal(before, await File.ReadAllTextAsync("/proc/sys/kernel/core_pattern"));
        Assert.Contains("can't create /proc/sys/kernel/core_pattern: Read-only file system", output, StringComparison.Ordinal);
        Assert.Matches("can't create /proc/sysrq-trigger: (Read-only file system|nonexistent directory)", output);
        Assert.Matches("can't create /sys/kernel/uevent_helper: (Read-only file system|nonexistent directory)", output);
        Assert.Contains("/sys/firmware:\n\n/sys/module:\n/bin/sh", output, StringComparison.Ordinal);
        Assert.DoesNotContain(" T ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("keyring", output, StringComparison.Ordinal);
        Assert.Equal("", _pod.Error);
    }

    [Fact]
    public async Task The_host_name_and_process_numbers_are_the_pods_own()
    {
        _pod.Shell("hostname; echo $$");
        Assert.Equal("appc-6733c088-a507-4694-aabf-ea4bd70d1b14\n1\n", await _pod.RunAsync(_stage1));
        _pod.Options = _pod.Options with { Hostname = "box" };
        Assert.EndsWith("box\n1\n", await _pod.RunAsync(_stage1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Volumes_are_mounted_with_what_was_asked_for()
    {
        string host = Directory.CreateDirectory(Path.Combine(_pod.Base, "host")).FullName;
        await File.WriteAllTextAsync(Path.Combine(host, "data"), "from the host\n");
        string file = Path.Combine(_pod.Base, "file");
        await File.WriteAllTextAsync(file, "one file\n");
        _pod.Volumes =
        [
            new Volume { Name = AcName.Parse("rw"), Kind = VolumeKind.Host, Source = host },
            new Volume { Name = AcName.Parse("ro"), Kind = VolumeKind.Host, Source = host, ReadOnly = true },
            new Volume { Name = AcName.Parse("file"), Kind = VolumeKind.Host, Source = file },
            new Volume { Name = AcName.Parse("empty"), Mode = "1770", Uid = 5, Gid = 6 },
            new Volume { Name = AcName.Parse("point"), Kind = VolumeKind.Host, Source = host },
        ];
        _pod.App = _pod.App with { MountPoints = [new MountPoint(AcName.Parse("point"), "/point", ReadOnly: true)] };
        _pod.Runtime = _pod.Runtime with
        {
            Mounts =
            [
                new Mount(AcName.Parse("empty"), "/empty/inner"), new Mount(AcName.Parse("rw"), "/deep/er/rw"), new Mount(AcName.Parse("ro"), "/ro"),
                new Mount(AcName.Parse("file"), "/etc/one.conf"), new Mount(AcName.Parse("point"), "/point"),
            ],
        };
        _pod.Shell("cat /ro/data /etc/one.conf; echo back > /deep/er/rw/back; (echo no > /ro/no) 2>&1; (echo no > /point/no) 2>&1; " +
            "stat -c '%a %u %g' /empty/inner; echo kept > /empty/inner/kept; grep ' /ro ' /proc/self/mountinfo");
        string output = await _pod.RunAsync(_stage1);
        Assert.Equal("", _pod.Error);
        Assert.StartsWith("from the host\none file\n", output, StringComparison.Ordinal);
        Assert.Equal(2, output.Split("Read-only file system").Length - 1);
        Assert.Contains("1770 5 6\n", output, StringComparison.Ordinal);
        Assert.Contains("ro,nosuid,nodev", output, StringComparison.Ordinal);
        Assert.Equal("back\n", await File.ReadAllTextAsync(Path.Combine(host, "back")));
        Assert.Equal("kept\n", await File.ReadAllTextAsync(Path.Combine(_pod.Directory, "stage1/volumes/empty/kept")));
    }

    [Fact]
    public async Task Links_in_an_image_lead_nowhere_but_into_the_image()
    {
        string outside = Directory.CreateDirectory(Path.Combine(_pod.Base, "outside")).FullName;
        File.CreateSymbolicLink(Path.Combine(_pod.Layer, "proc"), outside);
        File.CreateSymbolicLink(Path.Combine(_pod.Layer, "data"), Path.Combine("../../..", outside.TrimStart('/')));
        string host = Directory.CreateDirectory(Path.Combine(_pod.Base, "host")).FullName;
        _pod.Volumes = [new Volume { Name = AcName.Parse("v"), Kind = VolumeKind.Host, Source = host }];
        _pod.Runtime = _pod.Runtime with { Mounts = [new Mount(AcName.Parse("v"), "/data/below")] };
        _pod.Shell("true");
        LaunchException error = await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
        Assert.Equal("mount /proc", error.Step);
        Assert.Empty(Directory.GetFileSystemEntries(outside));

        File.Delete(Path.Combine(_pod.Layer, "proc"));
        _pod.Renew();
        error = await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
        Assert.StartsWith("mount a volume", error.Step, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(outside));
    }

    [Fact]
    public async Task Volume_sources_must_be_there_and_free_of_links()
    {
        string host = Directory.CreateDirectory(Path.Combine(_pod.Base, "host")).FullName;
        Directory.CreateDirectory(Path.Combine(host, "sub"));
        string link = Path.Combine(_pod.Base, "link");
        File.CreateSymbolicLink(link, host);
        foreach ((string source, string why) in ((string, string)[])[(link, "symbolic link"), (Path.Combine(link, "sub"), "in the path of its source"), ("/nowhere", "does not exist")])
        {
            _pod.Volumes = [new Volume { Name = AcName.Parse("v"), Kind = VolumeKind.Host, Source = source }];
            _pod.Runtime = _pod.Runtime with { Mounts = [new Mount(AcName.Parse("v"), "/v")] };
            _pod.Shell("true");
            LaunchException error = await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
            Assert.Equal("open the volume v", error.Step);
            Assert.Contains(why, error.Message, StringComparison.OrdinalIgnoreCase);
        }

        Assert.False(Directory.Exists("/nowhere"));
    }
}
