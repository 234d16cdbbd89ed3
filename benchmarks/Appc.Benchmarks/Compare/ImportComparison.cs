using System.Globalization;
using Appc.Images;

namespace Appc.Benchmarks.Compare;

/// <summary>Import of a signed image: signature, hash, tree; beside programs that do some of that.</summary>
internal static class ImportComparison
{
    public static async Task<int> RunAsync(ComparisonOptions options)
    {
        string scratch = Path.Combine(options.Directory, "import");
        var verifier = Keys.Verifier(options.Keys);
        long peak = 0;
        long committed = 0;
        var appc = new Contestant("appc import (verify, hash, extract)", async () =>
        {
            using var memory = new ManagedMemory();
            await new ImageStore(scratch, new ImageStoreOptions { Verifier = verifier }).ImportAsync(options.Image);
            peak = Math.Max(peak, memory.PeakBytes);
            committed = Math.Max(committed, memory.PeakCommittedBytes);
            return 0;
        })
        {
            Before = () => FreshAsync(scratch),
        };
        List<Contestant> contestants = [appc];
        foreach (Peer peer in options.Peers)
        {
            contestants.Add(new Contestant(peer.Name, () => Task.FromResult(peer.Run(scratch))) { Before = () => FreshAsync(scratch) });
        }

        await Race.RunAsync(contestants, options.Rounds);
        Race.Print($"import of {new FileInfo(options.Image).Length >> 20} MiB ({Path.GetFileName(options.Image)})", contestants, options.Baselines);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"appc: at most {peak / 1048576.0:0.0} MiB of managed objects, {committed / 1048576.0:0.0} MiB of managed heap"));
        await FreshAsync(scratch);
        return 0;
    }

    private static Task FreshAsync(string directory)
    {
        if (Spawn.Run(["rm", "-rf", directory]) != 0)
        {
            throw new InvalidOperationException($"cannot clear {directory}");
        }

        Directory.CreateDirectory(directory);
        return Task.CompletedTask;
    }
}
