using System.Diagnostics;
using System.Globalization;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>A range of user ids is its pod's alone on the whole host, also for those who do not know of its data directory.</summary>
public sealed class IdRangeTests(NspawnFixture fixture) : IDisposable
{
    private const string Locks = "/run/systemd/nspawn-uid";
    private const string Waiting = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done";

    private readonly string _home = Directory.CreateTempSubdirectory("appc-ranges-").FullName;

    public void Dispose() => TreeRemover.Remove(_home);

    [Fact]
    public async Task The_range_of_a_running_pod_is_taken_for_other_data_directories()
    {
        using NspawnPod pod = new(fixture);
        Stage1Process process = await pod.Shell(Waiting).StartAndWaitForAsync("ready");
        uint first = uint.Parse(pod.Range!, CultureInfo.InvariantCulture);
        Assert.Null(IdRange.TryTake(first));

        await fixture.Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.Zero);
        await process.Ended;
        pod.AssertNothingIsLeft();

        // A child that another test is just launching has copies of all descriptors for a moment.
        IdRange? free = null;
        Assert.True(SpinWait.SpinUntil(() => (free = IdRange.TryTake(first)) is not null, TimeSpan.FromSeconds(10)), "the range is held");
        free!.Dispose();
        IdRange.Clear(first);
    }

    [Fact]
    public async Task A_pod_whose_starter_and_nspawn_are_killed_leaves_no_range_that_is_held()
    {
        using NspawnPod pod = new(fixture);
        Stage1Process process = await pod.Shell(Waiting).StartAndWaitForAsync("ready");
        uint first = uint.Parse(pod.Range!, CultureInfo.InvariantCulture);
        Process.GetProcessById(process.Id.Pid).Kill();
        await process.Ended;
        await fixture.Stage1.CollectAsync(pod.Describe());
        Assert.True(SpinWait.SpinUntil(() => IdRange.TryTake(first) is { } free && Free(free), TimeSpan.FromSeconds(10)), "the range is held");
        IdRange.Clear(first);

        static bool Free(IdRange range)
        {
            range.Dispose();
            return true;
        }
    }

    [Fact]
    public async Task The_range_of_a_running_pod_is_taken_for_systemd_nspawn()
    {
        using NspawnPod pod = new(fixture);
        Stage1Process process = await pod.Shell(Waiting).StartAndWaitForAsync("ready");
        try
        {
            // What it tries first is the range that the tree belongs to.
            string tree = Directory.CreateDirectory(Path.Combine(_home, "plain")).FullName;
            foreach (string directory in (string[])["bin", "etc", "usr", "proc", "sys", "dev", "run", "tmp", "root", "var"])
            {
                Directory.CreateDirectory(Path.Combine(tree, directory));
            }

            File.Copy("/usr/bin/busybox", Path.Combine(tree, "bin/busybox"));
            await File.WriteAllTextAsync(Path.Combine(tree, "etc/os-release"), "ID=test\n");
            await RunAsync("chown", "-R", $"{pod.Range}:{pod.Range}", tree);
            string map = await RunAsync(
                "unshare", "--mount", "--propagation", "private", "sh", "-c", "[ $0 = /sys/fs/cgroup ] || mount --bind $0 /sys/fs/cgroup; exec \"$@\"", PodCGroup.FindHierarchy()!.MountPoint,
                "systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit", "--console=pipe", "--link-journal=no", "--resolv-conf=off", "--timezone=off",
                "--private-users=pick", "--private-users-ownership=chown", "--directory=" + tree, "/bin/busybox", "cat", "/proc/self/uid_map");
            string[] words = map.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(["0", "65536"], [words[0], words[2]]);
            Assert.NotEqual(pod.Range, words[1]);
        }
        finally
        {
            await fixture.Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.Zero);
            await process.Ended;
        }
    }

    [Fact]
    public void A_range_that_somebody_else_holds_is_passed_over()
    {
        IdRanges ranges = new(_home);
        using IdRange mine = ranges.Allocate("pod");
        Assert.Null(IdRange.TryTake(mine.First));
        Assert.True(File.Exists(Path.Combine(Locks, mine.First.ToString(CultureInfo.InvariantCulture))));
        mine.Dispose();
        Assert.Equal(1, ranges.FreeAll("pod"));
        Assert.False(File.Exists(Path.Combine(Locks, mine.First.ToString(CultureInfo.InvariantCulture))));
    }

    private static async Task<string> RunAsync(params string[] words)
    {
        ProcessStartInfo start = new(words[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string word in words[1..])
        {
            start.ArgumentList.Add(word);
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        return text;
    }
}
