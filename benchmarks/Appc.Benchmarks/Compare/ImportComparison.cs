using System.Globalization;
using Appc.Images;
using Appc.Signing;

namespace Appc.Benchmarks.Compare;

/// <summary>Import of a signed image: signature, hash, tree; beside programs that do some of that.</summary>
internal static class ImportComparison
{
    public static async Task<int> RunAsync(ComparisonOptions options)
    {
        string scratch = Path.Combine(options.Directory, "fresh");
        string kept = Path.Combine(options.Directory, "kept");
        OpenPgpVerifier verifier = Keys.Verifier(options.Keys);
        MemoryUse memory = new();
        Contestant appc = new("appc import (verify, hash, extract)", async () =>
        {
            using (memory.Watch())
            {
                await Store(scratch).ImportAsync(options.Image);
            }

            return 0;
        })
        {
            Before = () => FreshAsync(scratch),
        };
        List<Contestant> contestants = [appc];
        if (options.Second.Length > 0)
        {
            await FreshAsync(kept);
            await Store(kept).ImportAsync(options.Image);
            contestants.Add(Second());
        }

        foreach (Peer peer in options.Peers)
        {
            contestants.Add(new Contestant(peer.Name, () => Task.FromResult(peer.Run(scratch))) { Before = () => FreshAsync(scratch) });
        }

        await Race.RunAsync(contestants, options.Rounds);
        Race.Print(
            $"import of {new FileInfo(options.Image).Length >> 20} MiB ({Path.GetFileName(options.Image)}) on {options.Medium}", contestants, options.Baselines);
        Print(appc.Name, memory);
        if (options.Many.Length > 0)
        {
            MemoryUse many = new();
            await FreshAsync(scratch);
            using (many.Watch())
            {
                await Store(scratch).ImportAsync(options.Many);
            }

            Print("import of 1 GiB in 100,000 files", many);
        }

        await FreshAsync(scratch);
        await FreshAsync(kept);
        return 0;

        ImageStore Store(string root) => new(root, new ImageStoreOptions { Verifier = verifier });

        // Its dependency is there: only what the image itself brings is written.
        Contestant Second()
        {
            StoredImage? image = null;
            return new Contestant("appc import of a second image over it", async () =>
            {
                ImageStore store = Store(kept);
                image = await store.ImportAsync(options.Second);
                return (await store.GetLayersAsync(image.Id)).Count == 2 ? 0 : 1;
            })
            {
                After = () => Store(kept).RemoveAsync(image!.Id),
            };
        }
    }

    private static void Print(string what, MemoryUse use) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"memory of {what}: at most {use.Resident / 1048576.0:0.0} MiB resident more than before (VmHWM), {use.Managed / 1048576.0:0.0} MiB of managed heap"));

    private static Task FreshAsync(string directory)
    {
        // What the one before has not written yet is not counted against the next.
        Directory.CreateDirectory(directory);
        if (Spawn.Run(["rm", "-rf", directory]) != 0 || Spawn.Run(["sync", "-f", Path.GetDirectoryName(directory)!]) != 0)
        {
            throw new InvalidOperationException($"cannot clear {directory}");
        }

        Directory.CreateDirectory(directory);
        return Task.CompletedTask;
    }
}
