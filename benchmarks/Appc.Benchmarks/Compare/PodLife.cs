using System.Diagnostics;
using System.Globalization;
using Appc.Images;
using Appc.Pods;
using Appc.Trust;

namespace Appc.Benchmarks.Compare;

/// <summary>What pods cost the program that waits for them, and how soon others see their end. Needs root and a static busybox.</summary>
internal static class PodLife
{
    public static async Task<int> RunAsync(int pods)
    {
        string root = Directory.CreateTempSubdirectory("appc-life-").FullName;
        try
        {
            await using PodRuntime runtime = FlyPods.New(root);
            await using PodRuntime other = FlyPods.New(root);
            StoredImage image = await FlyPods.ImportAsync(runtime, root, "sleep", "100000");
            await StopAsync(await StartAsync(runtime, image, 20));
            await runtime.CollectGarbageAsync(new GarbageOptions { GracePeriod = TimeSpan.Zero });

            (long heap, long anonymous, int threads) = Measure();
            List<Pod> running = await StartAsync(runtime, image, pods);
            List<Task<PodStatus>> waits = [.. running.Select(p => p.WaitAsync())];
            Print($"{pods} running fly pods, each waited for by their starter", pods, heap, anonymous, threads);

            (heap, anonymous, threads) = Measure();
            const int Waits = 1000;
            for (int i = 0; i < Waits; i++)
            {
                waits.Add((await other.OpenAsync(running[i % pods].Uuid)).WaitAsync());
            }

            await Task.Delay(500);
            Print($"{Waits} waits for the pods of another runtime", Waits, heap, anonymous, threads);

            using PodEventSubscription events = await other.SubscribeAsync();
            List<double> delays = [];
            foreach (Pod pod in running.Take(100))
            {
                int pid = (await pod.GetStatusAsync()).Pid!.Value;
                long begin = Stopwatch.GetTimestamp();
                Process.GetProcessById(pid).Kill();
                PodEvent next;
                do
                {
                    next = await events.Reader.ReadAsync();
                }
                while (next.Kind != PodEventKind.Ended);
                delays.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            }

            delays.Sort();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"end seen by another runtime: median {delays[delays.Count / 2]:0.00} ms, 95 % {delays[(int)(delays.Count * 0.95)]:0.00} ms after the kill"));
            await StopAsync(running);
            await Task.WhenAll(waits);
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task<List<Pod>> StartAsync(PodRuntime runtime, StoredImage image, int pods)
    {
        List<Pod> running = [];
        for (int i = 0; i < pods; i++)
        {
            running.Add(await runtime.RunAsync(new PodSpec(new AppSpec(image)) { Trust = TrustPolicy.Insecure }));
        }

        return running;
    }

    private static async Task StopAsync(List<Pod> pods)
    {
        foreach (Pod pod in pods)
        {
            await pod.StopAsync(TimeSpan.Zero);
        }
    }

    private static (long Heap, long Anonymous, int Threads) Measure()
    {
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return (heap, long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024, Directory.GetDirectories("/proc/self/task").Length);
    }

    private static void Print(string what, int count, long heap, long anonymous, int threads)
    {
        (long heapNow, long anonymousNow, int threadsNow) = Measure();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {(heapNow - heap) / 1024.0 / count:0.0} KiB of heap, {(anonymousNow - anonymous) / 1024.0 / count:0.0} KiB resident each; {threadsNow - threads:+0;-0;0} threads"));
    }
}
