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
            Before = () => Scratch.FreshAsync(scratch),
        };
        List<Contestant> contestants = [appc];
        if (options.Second.Length > 0)
        {
            await Scratch.FreshAsync(kept);
            await Store(kept).ImportAsync(options.Image);
            contestants.Add(Second());
        }

        foreach (Peer peer in options.Peers)
        {
            contestants.Add(new Contestant(peer.Name, () => Task.FromResult(peer.Run(scratch))) { Before = () => Scratch.FreshAsync(scratch) });
        }

        await Race.RunAsync(contestants, options.Rounds);
        Race.Print(
            $"import of {new FileInfo(options.Image).Length >> 20} MiB ({Path.GetFileName(options.Image)}) on {options.Medium}", contestants, options.Baselines);
        memory.Print(appc.Name);
        if (options.Many.Count > 0)
        {
            MemoryUse many = new();
            await Scratch.FreshAsync(scratch);
            using (many.Watch())
            {
                await Store(scratch).ImportAsync(options.Many[0]);
            }

            many.Print("import of 1 GiB in 100,000 files");
        }

        await Scratch.FreshAsync(scratch);
        await Scratch.FreshAsync(kept);
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
}
