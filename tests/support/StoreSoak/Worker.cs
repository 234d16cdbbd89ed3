using System.Diagnostics;
using Appc.Images;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.StoreSoak;

/// <summary>One of the processes: does whatever comes to its mind, and ends with 1 at the first thing that must not be.</summary>
internal sealed class Worker
{
    private readonly ImageStore _store;
    private readonly string _archives;
    private readonly Random _random;
    private readonly ImageId[] _ids;
    private readonly HashSet<int> _pinned = [];
    private readonly SortedDictionary<string, int> _done = new(StringComparer.Ordinal);

    private Worker(string root, string archives, int seed)
    {
        _store = new ImageStore(root);
        _archives = archives;
        _random = new Random(seed);
        _ids = [.. File.ReadAllLines(Path.Combine(archives, "ids")).Select(ImageId.Parse)];
        foreach (int number in SoakImages.Pinned)
        {
            Pin(number);
        }
    }

    public static async Task<int> RunAsync(string root, string archives, int seconds, int seed)
    {
        Worker worker = new(root, archives, seed);
        Stopwatch clock = Stopwatch.StartNew();
        try
        {
            while (clock.Elapsed.TotalSeconds < seconds)
            {
                await worker.StepAsync();
            }
        }
#pragma warning disable CA1031 // Whatever it is, it is what this program looks for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            await Console.Error.WriteLineAsync($"worker {seed}: {e}");
            return 1;
        }

        Console.WriteLine(string.Join(' ', worker._done.Select(d => $"{d.Key}={d.Value}")));
        return 0;
    }

    private async Task StepAsync()
    {
        int number = _random.Next(SoakImages.Count);
        (string what, Func<int, Task> act) = _random.Next(100) switch
        {
            < 40 => ("import", ImportAsync),
            < 60 => ("render", RenderAsync),
            < 75 => ("verify", VerifyAsync),
            < 85 => ("remove", RemoveAsync),
            < 92 => ("collect", CollectAsync),
            < 96 => ("list", ListAsync),
            _ => ("export", (Func<int, Task>)ExportAsync),
        };
        try
        {
            await act(number);
        }
        catch (ImageException e) when (e.Failure == ImageFailure.InUse)
        {
            what += "-in-use";
        }
        catch (ImageException e) when (e.Failure == ImageFailure.NotFound && !_pinned.Contains(number))
        {
            what += "-not-found";
        }

        _done[what] = _done.GetValueOrDefault(what) + 1;
    }

    private async Task ImportAsync(int number)
    {
        StoredImage image = await _store.ImportAsync(SoakImages.Archive(_archives, number), new ImportOptions { Trust = TrustPolicy.Insecure });
        Require(image.Id == _ids[number], $"import of {number} gave {image.Id}");
    }

    /// <summary>While the image is held, its layers stay, with all that is in them.</summary>
    private async Task RenderAsync(int number)
    {
        using IDisposable held = await _store.HoldAsync(_ids[number]);
        IReadOnlyList<string> layers = await _store.GetLayersAsync(_ids[number]);
        for (int look = 0; look < 3; look++)
        {
            foreach (int expected in SoakImages.DependenciesOf(number).Append(number))
            {
                (string path, string content) = SoakImages.Marker(expected);
                string? layer = layers.FirstOrDefault(l => File.Exists(Path.Combine(l, path)));
                Require(layer is not null, $"layers of {number} lack {path}: {string.Join(' ', layers)}");
                Require(await File.ReadAllTextAsync(Path.Combine(layer!, path)) == content, $"{layer}/{path} has another content");
            }

            await Task.Delay(_random.Next(3));
        }
    }

    private async Task VerifyAsync(int number)
    {
        ImageVerificationReport report = await _store.VerifyAsync(
            _ids[number], new ImageVerifyOptions { Trust = TrustPolicy.Insecure, Dependencies = _random.Next(2) == 0 });
        Require(report.IsGood, string.Join('\n', report.Findings));
    }

    private async Task RemoveAsync(int number)
    {
        await _store.RemoveAsync(_ids[number]);
        Require(!_pinned.Contains(number), $"image {number} was removed, which the driver holds or an image depends on that it holds");
    }

    private async Task CollectAsync(int number)
    {
        ImageCollectReport report = await _store.CollectAsync(new ImageCollectOptions { GracePeriod = TimeSpan.FromMilliseconds(_random.Next(2) * 400), DryRun = _random.Next(4) == 0 });
        Require(report.Failures.Count == 0, string.Join('\n', report.Failures));
        Require(!report.Removed.Any(r => _pinned.Contains(Array.IndexOf(_ids, r.Id))), "a pinned image was collected");
        Require(!report.Kept.Any(k => k.Reason == ImageKeepReason.Damaged), string.Join('\n', report.Kept));
    }

    private async Task ListAsync(int number)
    {
        IReadOnlyList<StoredImage> images = await _store.ListAsync();
        Require(_pinned.All(p => images.Any(i => i.Id == _ids[p])), $"a pinned image is not in the list of {images.Count}");
    }

    private async Task ExportAsync(int number)
    {
        string path = Path.Combine(_archives, $"export-{Environment.ProcessId}");
        await _store.ExportAsync(_ids[number], path, overwrite: true);
        Require(File.ReadAllBytes(path).AsSpan().SequenceEqual(File.ReadAllBytes(SoakImages.Archive(_archives, number))), $"the export of {number} differs");
    }

    private void Pin(int number)
    {
        if (_pinned.Add(number))
        {
            Array.ForEach(SoakImages.DependenciesOf(number), Pin);
        }
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidOperationException(message);
        }
    }
}
