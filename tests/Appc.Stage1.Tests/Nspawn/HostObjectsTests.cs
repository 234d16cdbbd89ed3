using System.Diagnostics;
using System.Globalization;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>The large shared objects of a pod's systemd are the host's own files, or the tree's copies; never some of each.</summary>
public sealed class HostObjectsTests(NspawnFixture fixture) : IDisposable
{
    private const string Busybox = "/opt/stage2/main/rootfs/bin/busybox";
    private const string Waiting = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done";

    private readonly string _home = Directory.CreateTempSubdirectory("appc-objects-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public async Task The_systemd_of_a_pod_has_the_hosts_own_files_mapped()
    {
        using NspawnPod pod = new(fixture);
        Stage1Process process = await pod.Shell(Waiting).StartAndWaitForAsync("ready");
        string leader = Proc(pod.Leader!.Pid);
        (string Name, string State, string Source)[] objects = [.. Stage1TreeObjects.Read(fixture.Tree)];
        Assert.Contains(objects, o => o.Name.StartsWith("libc.", StringComparison.Ordinal));
        Assert.Contains(objects, o => o.Name.StartsWith("libsystemd-shared-", StringComparison.Ordinal));

        string[] hostMounts = await File.ReadAllLinesAsync("/proc/self/mountinfo");
        string[] podMounts = await File.ReadAllLinesAsync(leader + "/mountinfo");
        string[] maps = await File.ReadAllLinesAsync(leader + "/maps");
        string[] outside = await File.ReadAllLinesAsync(Proc(process.Id.Pid) + "/maps");
        foreach ((string name, _, string source) in objects)
        {
            string path = $"{Stage1TreeObjects.Directory}/{name}";
            Assert.True(Stat(leader + "/root" + path).IsSameFile(Stat(source)), $"{name} is not the host's");
            (string, string) mapped = MappedAs(maps, path)!.Value;
            Assert.Equal(Stat(source).Inode.ToString(CultureInfo.InvariantCulture), mapped.Item2);

            // What systemd-nspawn has of it, too, is the same memory.
            if (MappedAs(outside, Resolve(source)) is { } shared)
            {
                Assert.Equal(shared, mapped);
            }

            // Nothing that is mounted there shows on the host.
            string[] fields = podMounts.Single(l => l.Split(' ')[4] == path).Split(' ');
            Assert.Equal(["ro", "nosuid", "nodev"], fields[5].Split(',').Take(3));
            Assert.DoesNotContain(fields, f => f.StartsWith("master:", StringComparison.Ordinal) || (f.StartsWith("shared:", StringComparison.Ordinal) && hostMounts.Any(h => h.Split(' ').Contains(f))));
        }

        Assert.NotNull(MappedAs(outside, Resolve(objects.Single(o => o.Name.StartsWith("libsystemd-shared-", StringComparison.Ordinal)).Source)));
        Assert.DoesNotContain(hostMounts, l => l.Contains(Stage1TreeObjects.Directory, StringComparison.Ordinal));
        await EndAsync(pod, process);
    }

    [Fact]
    public async Task All_that_root_can_be_in_a_pod_cannot_write_them()
    {
        using NspawnPod pod = new(fixture);
        Stage1Process process = await pod.Shell(Waiting).StartAndWaitForAsync("ready");
        (string Name, string State, string Source)[] objects = [.. Stage1TreeObjects.Read(fixture.Tree)];
        uint[] modes = [.. objects.Select(o => (uint)Stat(o.Source).Mode)];

        // With all capabilities in the pod's user namespace and no filter, beside process 1: no process of a pod is that.
        foreach (string path in objects.Select(o => $"{Stage1TreeObjects.Directory}/{o.Name}"))
        {
            foreach (string attempt in Attempts(path))
            {
                Assert.False(await SucceedsAsync(pod, attempt), attempt);
            }
        }

        // They are real: with a file of the pod's own each succeeds.
        foreach (string attempt in (IEnumerable<string>)["touch /run/file", "mount --bind /run/file /run/file", .. Attempts("/run/file")])
        {
            Assert.True(await SucceedsAsync(pod, attempt), attempt);
        }

        Assert.All(objects, o => Assert.Equal(o.State, SourceState.Of(Stat(o.Source))));
        Assert.Equal(modes, objects.Select(o => (uint)Stat(o.Source).Mode));
        await EndAsync(pod, process);
    }

    [Theory]
    [InlineData("the host was upgraded")]
    [InlineData("root in the pod is the host's")]
    public async Task A_pod_has_copies_where(string reason)
    {
        using NspawnFixture other = new();
        using Stage1Tree trees = new(other.Root, new NspawnHost(new NspawnOptions()));
        using HeldTree tree = await trees.HoldAsync(default);
        if (reason == "the host was upgraded")
        {
            // One file only, and the last: the others are not shown either.
            string record = Path.Combine(tree.Path, Stage1TreeObjects.Record);
            string[] lines = await File.ReadAllLinesAsync(record);
            lines[^1] = lines[^1].Replace(" /", "1 /", StringComparison.Ordinal);
            await File.WriteAllLinesAsync(record, lines);
        }

        // Which a pod without a range of its own does not make.
        Directory.CreateDirectory(Path.Combine(other.Root, "uidranges"));
        using NspawnPod pod = new(other) { Options = new Stage1Options { PrivateUsers = reason != "root in the pod is the host's" } };
        Stage1Process process = await pod.Shell(Waiting).StartAndWaitForAsync("ready");
        foreach ((string name, _, _) in Stage1TreeObjects.Read(tree.Path))
        {
            string path = $"{Stage1TreeObjects.Directory}/{name}";
            Assert.True(Stat($"{Proc(pod.Leader!.Pid)}/root{path}").IsSameFile(Stat(tree.Path + path)), $"{name} is not the tree's");
        }

        await EndAsync(pod, process, other);
    }

    [Theory]
    [InlineData(true, "nothing")]
    [InlineData(false, "another file of the same name")]
    [InlineData(false, "another time")]
    [InlineData(false, "only root may read it")]
    [InlineData(false, "it is gone")]
    public void They_are_shown_as_long_as_they_are_what_the_tree_was_made_of(bool shown, string change)
    {
        string tree = Path.Combine(_home, "tree");
        Directory.CreateDirectory(Path.Combine(tree, "usr/lib/appc"));
        string[] sources = [.. ((string[])["liba.so", "libb.so", "libsmall.so"]).Select(n => Path.Combine(_home, n))];
        foreach (string source in sources)
        {
            File.WriteAllBytes(source, new byte[source.Contains("small", StringComparison.Ordinal) ? 100 : 2 << 20]);
            PodFilesWriter.SetMode(source, 0x1a4);
        }

        Stage1TreeObjects.Copy(sources, tree);
        Assert.Equal(["liba.so", "libb.so"], Stage1TreeObjects.Read(tree).Select(o => o.Name));
        Assert.Equal(100, new FileInfo(tree + sources[2]).Length);
        Assert.Equal(Stage1TreeObjects.Directory + "/liba.so", new FileInfo(tree + sources[0]).LinkTarget);
        Assert.Equal(0x1a4u, Stat(sources[0]).Mode & 0xfffu);
        switch (change)
        {
            case "another file of the same name":
                File.Copy(sources[1], sources[1] + ".new");
                File.SetLastWriteTimeUtc(sources[1] + ".new", File.GetLastWriteTimeUtc(sources[1]));
                File.Move(sources[1] + ".new", sources[1], overwrite: true);
                break;
            case "another time":
                File.SetLastWriteTimeUtc(sources[1], DateTime.UtcNow.AddDays(1));
                break;
            case "only root may read it":
                PodFilesWriter.SetMode(sources[1], 0x180);
                break;
            case "it is gone":
                File.Delete(sources[1]);
                break;
            default:
                break;
        }

        using HeldTree held = new(tree, Fd.OpenDirectory(tree));
        using HostObjects objects = HostObjects.Open(held);
        Assert.Equal(shown ? 2 : 0, objects.Descriptors.Count());
    }

    private static string[] Attempts(string path) =>
    [
        $"echo x >> {path}", $"touch {path}", $"chown 0 {path}", $"chmod 777 {path}", $"mount -o remount,bind,rw,nosuid,nodev {path} {path}", $"umount {path}",
        $"mv {path} {path}.old", $"rm {path}.old",
    ];

    private static string Proc(int pid) => string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}");

    /// <summary>Device and inode of what is mapped under a path.</summary>
    private static (string Device, string Inode)? MappedAs(string[] maps, string path) =>
        maps.Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).FirstOrDefault(f => f.Length > 5 && f[5] == path) is { } fields ? (fields[3], fields[4]) : null;

    private static string Resolve(string path)
    {
        using Process program = Process.Start(new ProcessStartInfo("readlink", ["-f", path]) { RedirectStandardOutput = true })!;
        string resolved = program.StandardOutput.ReadToEnd().TrimEnd();
        program.WaitForExit();
        return resolved;
    }

    private static async Task<bool> SucceedsAsync(NspawnPod pod, string command)
    {
        ProcessStartInfo start = new("nsenter", ["--target", pod.Leader!.Pid.ToString(CultureInfo.InvariantCulture), "--all", "--root", Busybox, "sh", "-c", $"{Busybox} {command}"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process program = Process.Start(start)!;
        Task<string> error = program.StandardError.ReadToEndAsync();
        await program.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        await program.WaitForExitAsync();
        Assert.DoesNotContain("not found", await error, StringComparison.Ordinal);
        return program.ExitCode == 0;
    }

    private static unsafe Libc.Statx Stat(string path)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.StatAt(Libc.AT_FDCWD, p, 0, out Libc.Statx stat), $"stat {path}");
            return stat;
        }
    }

    private async Task EndAsync(NspawnPod pod, Stage1Process process, NspawnFixture? of = null)
    {
        await (of ?? fixture).Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.FromSeconds(30));
        await process.Ended;
        pod.AssertNothingIsLeft();
    }
}
