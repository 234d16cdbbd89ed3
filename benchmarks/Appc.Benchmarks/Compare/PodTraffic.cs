using System.Diagnostics;
using System.Globalization;
using Appc.Images;
using Appc.Pods;
using Appc.Trust;

namespace Appc.Benchmarks.Compare;

/// <summary>How fast many pods come and go: prepared, listed, run to their end, removed. Needs root and a static busybox.</summary>
internal static class PodTraffic
{
    private const int Parallel = 4;

    public static async Task<int> RunAsync(int pods)
    {
        string root = Directory.CreateTempSubdirectory("appc-traffic-").FullName;
        try
        {
            await using PodRuntime runtime = FlyPods.New(root);
            StoredImage image = await FlyPods.ImportAsync(runtime, root, "true");
            await ChurnAsync(runtime, image, 50);
            await CollectAsync(runtime);

            List<double> prepared = await TimeAsync(pods, () => runtime.PrepareAsync(Spec(image)));
            Print("prepare", prepared);

            Print($"list of {pods} prepared pods, by a runtime that listed them before", await TimeAsync(20, () => runtime.ListAsync(), rehearsals: 60));
            Print($"list of {pods} prepared pods, by a new runtime", await TimeAsync(20, async () =>
            {
                await using PodRuntime other = FlyPods.New(root);
                await other.ListAsync();
            }));
            await CollectAsync(runtime);

            long begin = Stopwatch.GetTimestamp();
            TimeSpan processor = Process.GetCurrentProcess().TotalProcessorTime;
            await ChurnAsync(runtime, image, pods);
            double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            processor = Process.GetCurrentProcess().TotalProcessorTime - processor;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"churn: {pods} fly pods run to their end and removed, {Parallel} at a time: {pods / seconds:0} a second, {processor.TotalMilliseconds / pods:0.00} ms of processor time each"));
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static PodSpec Spec(StoredImage image) => new(new AppSpec(image)) { Trust = TrustPolicy.Insecure, RemoveOnExit = true };

    private static Task<GarbageReport> CollectAsync(PodRuntime runtime) =>
        runtime.CollectGarbageAsync(new GarbageOptions { GracePeriod = TimeSpan.Zero, ExpirePrepared = TimeSpan.Zero });

    private static async Task ChurnAsync(PodRuntime runtime, StoredImage image, int pods)
    {
        int left = pods;
        await Task.WhenAll(Enumerable.Range(0, Parallel).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await using Pod pod = await runtime.RunAsync(Spec(image));
                await pod.WaitAsync();
            }
        })));
    }

    private static async Task<List<double>> TimeAsync(int rounds, Func<Task> work, int rehearsals = 0)
    {
        List<double> times = [];
        for (int round = -rehearsals; round < rounds; round++)
        {
            long begin = Stopwatch.GetTimestamp();
            await work();
            if (round >= 0)
            {
                times.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            }
        }

        return times;
    }

    private static void Print(string what, List<double> times) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{what}: median {Race.Median(times):0.00} ms, min {times.Min():0.00} ms"));
}
