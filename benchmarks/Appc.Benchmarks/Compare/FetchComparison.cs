using System.Globalization;
using Appc.Fetching;
using Appc.Images;
using Appc.Signing;

namespace Appc.Benchmarks.Compare;

/// <summary>
/// Fetching a signed image from a server on this machine: download, signature, hash, tree; beside curl and tar. And the
/// memory of a hundred fetches at once.
/// </summary>
internal static class FetchComparison
{
    private const int Fetches = 100;

    public static async Task<int> RunAsync(ComparisonOptions options)
    {
        string scratch = Path.Combine(options.Directory, "fresh");
        OpenPgpVerifier verifier = Keys.Verifier(options.Keys);
        FetchOptions http = new() { AllowHttp = true };
        Contestant appc = new("appc fetch (verify, hash, extract)", async () =>
        {
            using ImageFetcher fetcher = new(Store(), verifier);
            await fetcher.FetchAsync(options.Image, http);
            return 0;
        })
        {
            Before = () => Scratch.FreshAsync(scratch),
        };
        List<Contestant> contestants = [appc];
        contestants.AddRange(options.Peers.Select(
            peer => new Contestant(peer.Name, () => Task.FromResult(peer.Run(scratch))) { Before = () => Scratch.FreshAsync(scratch) }));
        await Race.RunAsync(contestants, options.Rounds);
        Race.Print("fetch of " + options.Image, contestants, options.Baselines);

        MemoryUse one = new();
        await Scratch.FreshAsync(scratch);
        await WatchAsync(one, [options.Many[0]]);
        one.Print("one fetch");
        MemoryUse hundred = new();
        await Scratch.FreshAsync(scratch);
        await WatchAsync(hundred, [.. Enumerable.Range(0, Fetches).Select(i => options.Many[i % options.Many.Count])]);
        hundred.Print(string.Create(CultureInfo.InvariantCulture, $"{Fetches} fetches at once of {options.Many.Count} images"));
        await Scratch.FreshAsync(scratch);
        return 0;

        ImageStore Store() => new(scratch, new ImageStoreOptions { Verifier = verifier });

        async Task WatchAsync(MemoryUse use, IReadOnlyList<string> references)
        {
            using (use.Watch())
            {
                using ImageFetcher fetcher = new(Store(), verifier);
                await Task.WhenAll(references.Select(r => fetcher.FetchAsync(r, http)));
            }
        }
    }
}
