using System.Globalization;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>The inotify watches of a pod's systemd are such that taking them away does not wait for the kernel.</summary>
public sealed class QuietWatchesTests(NspawnFixture fixture)
{
    [Fact]
    public async Task A_pod_watches_its_control_groups_and_a_directory_that_the_runtime_watches_too()
    {
        using NspawnPod pod = new(fixture);
        Stage1Process process = await pod.Shell("trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done").StartAndWaitForAsync("ready");

        // The one for questions about passwords goes when all has started.
        string[][] instances = WatchesOf(pod.Leader!.Pid);
        for (int i = 0; i < 100 && instances.Length > 2; i++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
            instances = WatchesOf(pod.Leader!.Pid);
        }

        Assert.Equal(2, instances.Length);
        string shared = InodeOf(Path.Combine(fixture.Tree, QuietWatches.SharedDirectory));
        string[] watches = [.. instances.SelectMany(i => i)];
        Assert.Contains(shared, watches);
        string payload = pod.CGroup + "/payload";
        string[] groups = [.. Directory.EnumerateFiles(payload, "*.events", SearchOption.AllDirectories).Select(InodeOf)];
        Assert.All(watches, w => Assert.True(w == shared || groups.Contains(w), w));
        Assert.Contains(shared, WatchesOf(Environment.ProcessId).SelectMany(i => i));

        await fixture.Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.FromSeconds(10));
        await process.Ended;
    }

    [Fact]
    public void Another_tree_is_watched_in_the_place_of_the_first()
    {
        string[] trees = [Directory.CreateTempSubdirectory("appc-watch-").FullName, Directory.CreateTempSubdirectory("appc-watch-").FullName];
        try
        {
            string[] shared = [.. trees.Select(t => InodeOf(Directory.CreateDirectory(Path.Combine(t, QuietWatches.SharedDirectory)).FullName))];
            using (QuietWatches watches = new())
            {
                watches.Share(trees[0]);
                watches.Share(trees[0]);
                Assert.Equal([true, false], [.. shared.Select(IsWatched)]);
                watches.Share(trees[1]);
                Assert.Equal([false, true], [.. shared.Select(IsWatched)]);
            }

            Assert.Equal([false, false], [.. shared.Select(IsWatched)]);
        }
        finally
        {
            Array.ForEach(trees, t => Directory.Delete(t, recursive: true));
        }
    }

    private static bool IsWatched(string inode) => WatchesOf(Environment.ProcessId).SelectMany(i => i).Contains(inode);

    // inotify wd:1 ino:2c1 sdev:fe00000 mask:...
    private static string[][] WatchesOf(int process)
    {
        string directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/");
        List<string[]> instances = [];
        foreach (string descriptor in Directory.EnumerateFileSystemEntries(directory + "fd"))
        {
            try
            {
                if (new FileInfo(descriptor).LinkTarget == "anon_inode:inotify")
                {
                    string[] lines = File.ReadAllLines(directory + "fdinfo/" + Path.GetFileName(descriptor));
                    instances.Add([.. lines.Where(l => l.StartsWith("inotify ", StringComparison.Ordinal)).Select(l => l.Split(' ').Single(w => w.StartsWith("ino:", StringComparison.Ordinal))[4..])]);
                }
            }
            catch (IOException)
            {
                // Closed in the meantime.
            }
        }

        return [.. instances];
    }

    private static string InodeOf(string path)
    {
        Assert.True(Libc.TryStat(path, out Libc.Statx stat));
        return stat.Inode.ToString("x", CultureInfo.InvariantCulture);
    }
}
