using Appc.Linux;

namespace Appc.Stage1.Fly;

public sealed class FlyHostTests
{
    [Fact]
    public async Task Five_hundred_pods_beside_garbage_collections_leave_no_trace_in_the_host()
    {
        using FlyStage1 stage1 = new();
        using FlyPod warm = new("/bin/true");
        await warm.RunAsync(stage1);

        IReadOnlyList<string> before = HostState.OfThreads();
        string mounts = HostState.Mounts();
        string directory = HostState.WorkingDirectory();
        Assert.Single(before);
        using (GarbageLoad load = new())
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, 10), new ParallelOptions { MaxDegreeOfParallelism = 3 }, async (i, _) =>
            {
                using FlyPod pod = new();
                pod.App = pod.App with { User = i % 2 == 0 ? "0" : "1234" };
                pod.Shell($"exit {i}");
                for (int round = 0; round < 50; round++)
                {
                    await pod.RunAsync(stage1);
                    Assert.StartsWith($"exited {i} ", pod.Status, StringComparison.Ordinal);
                }
            });
            Assert.InRange(load.Collections, 10, int.MaxValue);
        }

        Assert.Equal(before, HostState.OfThreads());
        Assert.Equal(mounts, HostState.Mounts());
        Assert.Equal(directory, HostState.WorkingDirectory());
        Assert.Equal(1, Libc.prctl(Libc.PR_GET_DUMPABLE, 0, 0, 0, 0));
    }
}
