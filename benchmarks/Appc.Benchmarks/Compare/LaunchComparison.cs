using Appc.Fetching;
using Appc.Images;
using Appc.Pods;
using Appc.Stage1.Fly;
using Appc.Stage1.Nspawn;

namespace Appc.Benchmarks.Compare;

/// <summary>
/// Start to exit of <c>true</c> in an image that is there already: beside other programs, which leave the caches cold for each
/// other, and alone, as in a host that starts pods one after another.
/// </summary>
internal static class LaunchComparison
{
    private const int RoundsAlone = 10;

    public static async Task<int> RunAsync(ComparisonOptions options)
    {
        await using PodRuntime runtime = new PodRuntimeBuilder(Path.Combine(options.Directory, "launch"))
            .UseVerifier(Keys.Verifier(options.Keys))
            .UseNspawn()
            .UseFly()
            .Build();
        StoredImage image = (await runtime.Fetcher.FetchAsync(options.Image)).Image;
        List<Contestant> contestants =
        [
            .. options.Peers.Select(peer => new Contestant(peer.Name, () => Task.FromResult(peer.Run()))),
            WholePod(runtime, image, "nspawn"),
            WholePod(runtime, image, "fly"),
            PreparedPod(runtime, image, "nspawn"),
            PreparedPod(runtime, image, "fly"),
        ];
        await Race.RunAsync(contestants, options.Rounds);
        Race.Print("start to exit of 'true'", contestants, options.Baselines);

        List<Contestant> alone = [WholePod(runtime, image, "fly"), PreparedPod(runtime, image, "fly")];
        foreach (Contestant contestant in alone)
        {
            await Race.RunAsync([contestant], options.Rounds * RoundsAlone);
        }

        Race.Print("start to exit of 'true', one after another", alone, []);
        return 0;
    }

    private static Contestant WholePod(PodRuntime runtime, StoredImage image, string flavour)
    {
        Pod? pod = null;
        return new Contestant($"appc {flavour} (prepare + run)", async () =>
        {
            pod = await runtime.RunAsync(Spec(image, flavour));
            return (await pod.WaitAsync()).ExitCode ?? 255;
        })
        {
            After = () => pod?.RemoveAsync() ?? Task.CompletedTask,
        };
    }

    private static Contestant PreparedPod(PodRuntime runtime, StoredImage image, string flavour)
    {
        Pod? pod = null;
        return new Contestant($"appc {flavour} (run prepared)", async () =>
        {
            pod = await runtime.RunPreparedAsync(pod!.Uuid);
            return (await pod.WaitAsync()).ExitCode ?? 255;
        })
        {
            Before = async () => pod = await runtime.PrepareAsync(Spec(image, flavour)),
            After = () => pod?.RemoveAsync() ?? Task.CompletedTask,
        };
    }

    private static PodSpec Spec(StoredImage image, string flavour) => new(new AppSpec(image)) { Stage1 = flavour };
}
