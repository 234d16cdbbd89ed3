using Appc.Linux;

namespace Appc.Stage1.Fly;

[CollectionDefinition(nameof(FlyHostTests), DisableParallelization = true)]
[Collection(nameof(FlyHostTests))]
public sealed class FlyHostTests
{
    // The longer run is for whoever asks for it: APPC_LAUNCHES=10000.
    private static readonly int Launches = int.TryParse(Environment.GetEnvironmentVariable("APPC_LAUNCHES"), out int number) ? number : 1000;

    [Fact]
    public async Task A_thousand_pods_beside_garbage_collections_leave_no_trace_in_the_host()
    {
        using FlyStage1 stage1 = new();
        using FlyPod warm = new("/bin/true");
        await warm.RunAsync(stage1);

        IReadOnlyList<string> before = HostState.OfThreads();
        string mounts = HostState.Mounts();
        string directory = HostState.WorkingDirectory();
        int descriptors = HostState.Descriptors();

        // A launch of another test blocks signals for a moment: what counts is what every look sees.
        IReadOnlyList<string> signals = HostState.BlockedSignals();
        for (int look = 0; look < 50; look++)
        {
            await Task.Delay(5);
            signals = [.. signals.Intersect(HostState.BlockedSignals())];
        }

        Assert.Single(before);
        using (GarbageLoad load = new())
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, 10), new ParallelOptions { MaxDegreeOfParallelism = 3 }, async (i, _) =>
            {
                using FlyPod pod = new();
                pod.App = pod.App with { User = i % 2 == 0 ? "0" : "1234" };
                pod.Options = pod.Options with { RecordsOwnEnd = i % 3 == 1 };
                pod.Shell($"exit {i}");
                for (int round = 0; round < Launches / 10; round++)
                {
                    await pod.RunAsync(stage1);
                    Assert.StartsWith($"exited {i} ", pod.Status, StringComparison.Ordinal);
                }
            });
            Assert.InRange(load.Collections, 10, int.MaxValue);
        }

        Assert.Equal(before, HostState.OfThreads());
        for (int look = 0; look < 200 && !HostState.BlockedSignals().SequenceEqual(signals); look++)
        {
            await Task.Delay(20);
        }

        Assert.Equal(signals, HostState.BlockedSignals());
        Assert.InRange(HostState.Descriptors(), 1, descriptors + 50);
        Assert.Equal(mounts, HostState.Mounts());
        Assert.Equal(directory, HostState.WorkingDirectory());
        Assert.Equal(1, Libc.prctl(Libc.PR_GET_DUMPABLE, 0, 0, 0, 0));
    }
}
