using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Appc.Images;
using Appc.Pods;
using Appc.Stage1;

namespace Appc.PodStress;

/// <summary>
/// A host with many pods that come and go: starts, stops, waits by several, removals and collections beside each other. Whenever the
/// load is the same again, the host must need as much as before; events are complete, and who waits is woken.
/// </summary>
internal sealed class Soak : IAsyncDisposable
{
    /// <summary>For whatever has to come.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private const int Churners = 4;
    private const int WarmUp = 2;

    // Long enough for a subscriber to have looked at a pod that has ended.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly int _pods;
    private readonly string _root;
    private readonly PodRuntime _host;
    private readonly PodRuntime _other;
    private readonly ConcurrentQueue<SoakPod> _running = new();
    private readonly ConcurrentDictionary<string, bool> _grouped = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, bool> _everGrouped = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private StoredImage _image = null!;
    private SoakEvents _events = null!;
    private long _ended;
    private long _woken;
    private long _collected;

    private Soak(int pods, string root)
    {
        _pods = pods;
        _root = root;
        _host = StressImage.OpenRuntime(root);
        _other = StressImage.OpenRuntime(root);
    }

    public static async Task<int> RunAsync(int pods, int seconds, string directory)
    {
        string scratch = Directory.CreateDirectory(Path.Combine(directory, "appc-pods-" + Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            await using Soak soak = new(pods, Path.Combine(scratch, "root"));
            bool good = await soak.RunAsync(TimeSpan.FromSeconds(seconds));
            Console.WriteLine(good ? "good" : "not good");
            return good ? 0 : 1;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _other.DisposeAsync();
    }

    private async Task<bool> RunAsync(TimeSpan time)
    {
        _image = await StressImage.ImportAsync(_host);
        await using PodEventSubscription subscription = await _other.SubscribeAsync();
        _events = new SoakEvents(subscription, _failures.Enqueue);
        Task reading = _events.ReadAsync();
        Stopwatch clock = Stopwatch.StartNew();
        Say(clock, $"before: {Measure()}");
        try
        {
            await Parallel.ForAsync(0, _pods, new ParallelOptions { MaxDegreeOfParallelism = Churners }, async (number, _) => await StartAsync(number));
            Say(clock, $"{_pods} pods run");
            HostUse? first = null;
            int rounds = time < TimeSpan.FromMinutes(1) ? 5 : 12;
            for (int round = 1; round <= rounds && _failures.IsEmpty; round++)
            {
                await ChurnAsync(time / rounds);
                HostUse use = Measure();
                Say(clock, $"{_ended} pods have ended, {_events.Count} events, {_woken} waits, {_collected} collected, {_events.CutShort} cut short: {use}");
                Require(_events.Open == _pods, $"of {_events.Open} pods something is still to be told, and {_pods} run");
                Require(use.Mounts == 0, "pods have left mounts");
                Require(use.Groups == _grouped.Count, $"{_grouped.Count} pods have control groups, and {use.Groups} are there");
                first = round == WarmUp ? use : first;
                if (first is not null)
                {
                    foreach (string growth in use.Growth(first))
                    {
                        // Once may be chance, in the last round it counts.
                        Say(clock, growth);
                        Require(round < rounds, growth);
                    }
                }
            }

            await EndAsync();
            Say(clock, $"all ended: {Measure()}");
        }
        catch (Exception e) when (e is AppcException or TimeoutException or InvalidOperationException)
        {
            _failures.Enqueue(e.ToString());
            await EndAsync();
        }

        subscription.Dispose();
        await reading.WaitAsync(Patience);
        foreach (string failure in _failures.Take(20))
        {
            await Console.Error.WriteLineAsync($"failed: {failure}");
        }

        return _failures.IsEmpty;
    }

    /// <summary>Ends pods and starts others; when it returns, as many run as before, and nothing is under way.</summary>
    private async Task ChurnAsync(TimeSpan time)
    {
        Stopwatch clock = Stopwatch.StartNew();
        Task[] churners =
        [
            .. Enumerable.Range(0, Churners).Select(_ => Task.Run(async () =>
            {
                // What is left to the collection is waited for at the end only: it goes when its time has come.
                List<Task> leaving = [];
                while (clock.Elapsed < time && _failures.IsEmpty)
                {
                    await TurnAsync(leaving);
                    leaving.RemoveAll(l => l.IsCompletedSuccessfully);
                }

                await Task.WhenAll(leaving);
            })),
        ];
        Task all = Task.WhenAll(churners);
        while (await Task.WhenAny(all, Task.Delay(TimeSpan.FromMilliseconds(500))) != all)
        {
            await CollectAsync(Grace);
        }

        await all;
    }

    private async Task TurnAsync(List<Task> leaving)
    {
        await ShortAsync();
        if (!_running.TryDequeue(out SoakPod? pod))
        {
            return;
        }

        ToldEvents told = _events.Of(pod.Uuid);
        int way = Random.Shared.Next(4);
        await told.WaitAsync(PodEventKind.Started);
        await pod.WaitInVainAsync(TimeSpan.FromMilliseconds(Random.Shared.Next(5)));
        await pod.StopAsync(fromOutside: Random.Shared.Next(2) == 0, way == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(10));
        Interlocked.Add(ref _woken, pod.Waits);
        if (way == 1 && !pod.RemovesItself)
        {
            // Who looks before it is removed is told how it ended.
            await told.WaitAsync(PodEventKind.Ended);
            Require(told.ExitCode is StressImage.Stopped or 128 + 9, $"the event tells that the pod {pod.Uuid} ended with {told.ExitCode}");
        }

        if (way != 3 && !pod.RemovesItself)
        {
            await TryRemoveAsync(pod);
        }

        leaving.Add(RemovedAsync(pod.Uuid, told));
        await StartAsync(pod.Number);
    }

    /// <summary>A pod that ends by itself, at once.</summary>
    private async Task ShortAsync()
    {
        int code = 1 + Random.Shared.Next(100);
        await using Pod pod = await _host.RunAsync(new PodSpec(StressImage.App(_image, _root, code)));
        ToldEvents told = _events.Of(pod.Uuid);
        PodStatus end = await pod.WaitAsync().WaitAsync(Patience);
        Require(end.ExitCode == code || end.State == PodState.Gone, $"a pod that ends with {code} ended with {end.ExitCode}");
        await told.WaitAsync(PodEventKind.Ended);
        Require(told.ExitCode == code || told.ExitCode is null, $"the event tells {told.ExitCode} of a pod that ends with {code}");
        Interlocked.Increment(ref _woken);
        await (await _other.OpenAsync(pod.Uuid)).RemoveAsync();
        await RemovedAsync(pod.Uuid, told);
    }

    /// <summary>Starts a pod that takes the place of another one, and needs as much of the host.</summary>
    private async Task StartAsync(int number)
    {
        bool grouped = number % 5 == 0;
        PodSpec spec = new(StressImage.App(_image, _root, exitCode: null))
        {
            Lifetime = number % 4 == 1 ? PodLifetime.Host : PodLifetime.Independent,
            RemoveOnExit = number % 3 == 0,
            Options = new Stage1Options { OwnControlGroup = grouped, RecordsOwnEnd = number % 4 == 2 },
        };
        SoakPod pod = await SoakPod.StartAsync(_host, _other, spec, number);
        if (grouped)
        {
            _grouped[pod.Uuid] = true;
            _everGrouped[Guid.Parse(pod.Uuid)] = true;
        }

        _running.Enqueue(pod);
    }

    private static async Task TryRemoveAsync(SoakPod pod)
    {
        try
        {
            await pod.RemoveAsync();
        }
        catch (PodException e) when (e.Failure is PodFailure.NotFound or PodFailure.WrongState)
        {
            // The collection was quicker, or is at it.
        }
    }

    private async Task RemovedAsync(string uuid, ToldEvents told)
    {
        await told.WaitAsync(PodEventKind.Removed);
        _events.Forget(uuid);
        _grouped.TryRemove(uuid, out _);
        Interlocked.Increment(ref _ended);
    }

    private async Task CollectAsync(TimeSpan grace)
    {
        GarbageReport report = await _other.CollectGarbageAsync(new GarbageOptions { GracePeriod = grace });
        Require(report.Failures.Count == 0, string.Join("; ", report.Failures));
        _collected += report.Removed.Count;
    }

    /// <summary>Ends all pods; then nothing of them is left.</summary>
    private async Task EndAsync()
    {
        foreach (PodStatus status in await _host.ListAsync())
        {
            if (status.State == PodState.Running)
            {
                await (await _host.OpenAsync(status.Uuid)).StopAsync(TimeSpan.Zero);
            }
        }

        await CollectAsync(TimeSpan.Zero);
        while (_running.TryDequeue(out SoakPod? pod))
        {
            await RemovedAsync(pod.Uuid, _events.Of(pod.Uuid));
        }

        Require((await _other.ListAsync()).Count == 0, "pods are left");
        string[] left = [.. Directory.EnumerateFiles(Path.Combine(_root, "pods"), "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) is not (".lock" or "version"))];
        Require(left.Length == 0, "files are left: " + string.Join(' ', left.Take(5)));
        HostUse use = Measure();
        Require(use.Children == 0 && use.Groups == 0 && use.Mounts == 0, $"something is left: {use}");
    }

    private HostUse Measure() => HostUse.Look(_root, uuid => Guid.TryParse(uuid, out Guid known) && _everGrouped.ContainsKey(known));

    private void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            _failures.Enqueue(otherwise);
        }
    }

    private static void Say(Stopwatch clock, string what) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed.TotalSeconds,6:F0} s: {what}"));
}
