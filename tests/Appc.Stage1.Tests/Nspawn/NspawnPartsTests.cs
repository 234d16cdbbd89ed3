using System.Diagnostics;
using System.Globalization;
using System.Text;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Nspawn;

public sealed class NspawnPartsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("appc-nspawn-parts-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task The_probe_names_version_and_what_is_missing()
    {
        using NspawnStage1 good = new();
        Stage1HostReport report = await good.ProbeAsync();
        Assert.Null(report.Problem);
        Assert.StartsWith("systemd 2", report.Version, StringComparison.Ordinal);

        using NspawnStage1 missing = new(new NspawnOptions { NspawnPath = "/no/systemd-nspawn" });
        report = await missing.ProbeAsync();
        Assert.Equal("systemd-nspawn was not found at /no/systemd-nspawn", report.Problem);
        Assert.Contains("apt-get install systemd-container", report.Hint, StringComparison.Ordinal);

        using NspawnStage1 noSystemd = new(new NspawnOptions { SystemdPath = "/no/systemd" });
        Assert.Contains("/no/systemd", (await noSystemd.ProbeAsync()).Problem, StringComparison.Ordinal);

        using NspawnStage1 other = new(new NspawnOptions { NspawnPath = "/bin/true" });
        Assert.NotNull((await other.ProbeAsync()).Problem);
    }

    [Fact]
    public void Ranges_are_aligned_unlike_and_freed_by_their_pod_only()
    {
        IdRanges ranges = new(_root);
        uint[] all = [.. Enumerable.Range(0, 50).Select(i =>
        {
            using IdRange range = ranges.Allocate($"pod{i}");
            return range.First;
        })];
        Assert.Equal(50, all.Distinct().Count());
        Assert.All(all, r => Assert.True(r % IdRanges.Size == 0 && r is >= 0x80000 and <= 0x6fff0000));
        ranges.Free(all[0], "pod1");
        Assert.Equal(50, Directory.GetFiles(Path.Combine(_root, "uidranges")).Length);
        ranges.Free(all[0], "pod0");
        ranges.FreeAll("pod1");
        ranges.FreeAll("pod1");
        Assert.Equal(48, Directory.GetFiles(Path.Combine(_root, "uidranges")).Length);
    }

    [Fact]
    public void Words_are_quoted_so_that_only_plain_bytes_stand_for_themselves()
    {
        StringBuilder text = new();
        UnitText.Quote(text, "a b%\"\\$é\n;");
        Assert.Equal("\"a b%%\\x22\\x5c\\x24\\xc3\\xa9\\x0a\\x3b\"", text.ToString());
        Assert.Equal("/a b/%%c", UnitText.PlainPath("/a b/%c", "path", "pod"));
        Assert.Throws<LaunchException>(() => UnitText.PlainPath("/a\nExecStart=/bin/evil", "path", "pod"));
        Assert.Throws<LaunchException>(() => UnitText.PlainPath("/a ", "path", "pod"));
    }

    [Fact]
    public void Shared_objects_are_read_from_what_the_loader_prints()
    {
        const string Output = "/usr/bin/dash:\n\tlinux-vdso.so.1 (0x7ffc)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x7f)\n\t/lib64/ld-linux-x86-64.so.2 (0x7f)\n";
        Assert.Equal(["/lib/x/libc.so.6", "/lib64/ld-linux-x86-64.so.2"], SharedObjects.Parse(Output));
        Assert.Throws<LaunchException>(() => SharedObjects.Parse("\tlibx.so.1 => not found\n"));
    }

    [Fact]
    public void Filters_come_from_the_sets_of_the_manifest()
    {
        SystemCallFilter standard = SystemCallFilter.FromIsolators([], CapabilitySet.Default)!;
        Assert.True(standard.Limit is null && standard.DenyNamespaces && !standard.Deny);
        SystemCallFilter admin = SystemCallFilter.FromIsolators([], CapabilitySet.Of("CAP_SYS_ADMIN"))!;
        Assert.False(admin.DenyNamespaces);
        Assert.Contains("@mount", admin.Calls);

        SystemCallFilter Read(string name, string json) =>
            SystemCallFilter.FromIsolators([new Isolator(AcIdentifier.Parse(name), json)], CapabilitySet.Default)!;
        Assert.Null(Read("os/linux/seccomp-retain-set", """{"set":["@appc.io/all"]}"""));
        Assert.Null(Read("os/linux/seccomp-remove-set", """{"set":["@appc.io/empty"]}"""));
        Assert.Equal(["@clock", "mount"], Read("os/linux/seccomp-remove-set", """{"set":["@systemd/clock","mount"]}""").Calls);
        Assert.Throws<LaunchException>(() => Read("os/linux/seccomp-retain-set", """{"set":["a b"]}"""));
        Assert.Throws<LaunchException>(() => Read("os/linux/seccomp-retain-set", """{"set":["@unknown/set"]}"""));
        Assert.Throws<LaunchException>(() => Read("os/linux/seccomp-retain-set", """{"set":["mount"],"errno":"x\nEvil="}"""));
    }

    [Fact]
    public async Task A_tree_is_built_once_and_removed_when_nobody_uses_an_old_one()
    {
        using Stage1Tree tree = new(_root, new NspawnHost(new NspawnOptions()));
        using Stage1Tree same = new(_root, new NspawnHost(new NspawnOptions()));
        HeldTree[] held = await Task.WhenAll(tree.HoldAsync(default), same.HoldAsync(default));
        Assert.Equal(held[0].Path, held[1].Path);

        string stage1 = Path.Combine(_root, "stage1");
        string used = Directory.CreateDirectory(Path.Combine(stage1, "nspawn-used")).FullName;
        string unused = Directory.CreateDirectory(Path.Combine(stage1, "nspawn-unused")).FullName;
        using (Fd pod = Fd.OpenDirectory(used))
        {
            Assert.True(pod.TryLock(exclusive: false));

            // What a tree is named after is gone: as after an upgrade of systemd.
            held[0].Dispose();
            held[1].Dispose();
            Directory.Delete(held[0].Path, recursive: true);
            using HeldTree again = await tree.HoldAsync(default);
            Assert.True(File.Exists(Path.Combine(again.Path, "usr/lib/systemd/systemd")));
            Assert.True(Directory.Exists(used));
            Assert.False(Directory.Exists(unused));
        }

        long size = new DirectoryInfo(stage1).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }).Sum(f => f.Length);

        // Those of newer releases are larger.
        using HeldTree whole = await tree.HoldAsync(default);
        bool older = int.Parse(await File.ReadAllTextAsync(Path.Combine(whole.Path, Stage1TreeFiles.SystemdVersion)), CultureInfo.InvariantCulture) <= 252;
        Assert.InRange(size, 1 << 20, older ? 22_000_000 : 30 << 20);
    }

    [Fact]
    public async Task A_tree_is_built_anew_when_systemd_changes_and_is_each_systemds_own()
    {
        NspawnHost own = new(new NspawnOptions());
        string systemd = Path.Combine(Directory.CreateDirectory(Path.Combine(_root, "host")).FullName, "systemd");
        foreach (string program in (IEnumerable<string>)[own.Systemd!, .. NspawnHost.HelpersOf(own.Systemd!)])
        {
            File.Copy(program, Path.Combine(_root, "host", Path.GetFileName(program)));
        }

        using Stage1Tree tree = new(_root, new NspawnHost(new NspawnOptions { SystemdPath = systemd }));
        HeldTree pod = await tree.HoldAsync(default);
        await UpgradeAsync(systemd);
        string upgraded;
        using (HeldTree held = await tree.HoldAsync(default))
        {
            upgraded = held.Path;
            Assert.Equal(await File.ReadAllBytesAsync(systemd), await File.ReadAllBytesAsync(held.Path + InitProgram.Systemd));
        }

        // One that a pod still has is left; it goes with the next one that is built.
        Assert.NotEqual(pod.Path, upgraded);
        Assert.True(Directory.Exists(pod.Path));
        pod.Dispose();

        // Whoever names no systemd gets the host's, whatever was built last.
        using Stage1Tree hosts = new(_root, own);
        using HeldTree other = await hosts.HoldAsync(default);
        Assert.Equal(await File.ReadAllBytesAsync(own.Systemd!), await File.ReadAllBytesAsync(other.Path + InitProgram.Systemd));
        Assert.False(Directory.Exists(pod.Path));
        Assert.False(Directory.Exists(upgraded));
        using Stage1Tree third = new(_root, new NspawnHost(new NspawnOptions { SystemdPath = systemd }));
        using HeldTree again = await third.HoldAsync(default);
        Assert.Equal(upgraded, again.Path);
    }

    [Fact]
    public async Task A_tree_that_cannot_be_finished_leaves_nothing_and_is_built_when_it_can_be()
    {
        string disk = Directory.CreateDirectory(Path.Combine(_root, "disk")).FullName;
        await RunAsync("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk);
        try
        {
            using Stage1Tree tree = new(disk, new NspawnHost(new NspawnOptions()));
            LaunchException full = await Assert.ThrowsAsync<LaunchException>(() => tree.HoldAsync(default));
            Assert.StartsWith($"the stage1 tree in {disk}/stage1 cannot be built: ", full.Message, StringComparison.Ordinal);
            Assert.Contains("No space left", full.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateDirectories(Path.Combine(disk, "stage1")));

            // Half a tree, of somebody who was killed while building it.
            await RunAsync("mount", "-o", "remount,size=80m", disk);
            await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(disk, "stage1/.new/usr/bin")).FullName, "dash"), "half");
            using HeldTree built = await tree.HoldAsync(default);
            Assert.Equal(built.Path, Assert.Single(Directory.EnumerateDirectories(Path.Combine(disk, "stage1"))));
            Assert.True(new FileInfo(built.Path + "/usr/bin/dash").Length > 4);
        }
        finally
        {
            await RunAsync("umount", disk);
        }
    }

    [Fact]
    public async Task A_failing_nspawn_is_one_clear_error_and_leaves_nothing()
    {
        string fake = Path.Combine(_root, "fake-nspawn");
        await File.WriteAllTextAsync(fake, "#!/bin/sh\necho 'Attempted to remove disk file system under x' >&2\necho 'Something is wrong' >&2\necho >&2\nexit 1\n");
        PodFilesWriter.SetMode(fake, 0x1ed);
        using NspawnFixture fixture = new();
        using NspawnPod pod = new(fixture);
        using NspawnStage1 stage1 = new(new NspawnOptions { NspawnPath = fake });
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => stage1.StartAsync(pod.Shell("true").Describe()));
        Assert.Equal($"pod {pod.Uuid}: systemd-nspawn failed: Something is wrong", e.Message);
        pod.ReleaseLock();
        pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_cancelled_start_leaves_nothing()
    {
        string fake = Path.Combine(_root, "slow-nspawn");
        await File.WriteAllTextAsync(fake, "#!/bin/sh\nexec sleep 600\n");
        PodFilesWriter.SetMode(fake, 0x1ed);
        using NspawnFixture fixture = new();
        using NspawnPod pod = new(fixture);
        using NspawnStage1 stage1 = new(new NspawnOptions { NspawnPath = fake });
        using CancellationTokenSource cancel = new();
        Task<Stage1Process> start = stage1.StartAsync(pod.Shell("true").Describe(), cancel.Token);
        while (pod.CGroup is not { } group || PodCGroup.Processes(group).Count == 0)
        {
            await Task.Delay(10);
        }

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start);
        pod.ReleaseLock();
        pod.AssertNothingIsLeft();
    }

    /// <summary>As packages are upgraded: another file under the same name.</summary>
    private static async Task UpgradeAsync(string program)
    {
        await File.WriteAllBytesAsync(program + ".new", [.. await File.ReadAllBytesAsync(program), 0]);
        File.Move(program + ".new", program, overwrite: true);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public void A_range_can_be_told_from_its_file()
    {
        using IdRange range = new IdRanges(_root).Allocate("pod");
        Assert.Equal("pod\n", File.ReadAllText(Path.Combine(_root, "uidranges", range.First.ToString(CultureInfo.InvariantCulture))));
    }
}
