using System.Globalization;
using Appc.Fetching;
using Appc.Images;
using Appc.Pods;
using Appc.Stage1.Fly;
using Appc.Stage1.Nspawn;

namespace Appc.Benchmarks.Compare;

/// <summary>Start to exit of <c>true</c> in an app that runs, and what a running pod costs besides its app.</summary>
internal static class EnterComparison
{
    public static async Task<int> RunAsync(ComparisonOptions options)
    {
        await using PodRuntime runtime = new PodRuntimeBuilder(Path.Combine(options.Directory, "enter"))
            .UseVerifier(Keys.Verifier(options.Keys))
            .UseNspawn()
            .UseFly()
            .Build();
        StoredImage image = (await runtime.Fetcher.FetchAsync(options.Image)).Image;
        await using Pod nspawn = await StartAsync(runtime, image, "nspawn");
        await using Pod fly = await StartAsync(runtime, image, "fly");
        int supervisor = (await nspawn.GetStatusAsync()).Pid!.Value;
        int leader = Children(supervisor).Single();
        int app = Children(leader).Single();
        string[] enter = ["nsenter", "--target", app.ToString(CultureInfo.InvariantCulture), "--all", "--root", "/bin/true"];
        List<Contestant> contestants =
        [
            new("nsenter (no user, filter, capabilities)", () => Task.FromResult(Spawn.Run(enter))),
            Command("appc enter, nspawn", nspawn),
            Command("appc enter, fly", fly),
        ];
        await Race.RunAsync(contestants, options.Rounds);
        Race.Print("start to exit of 'true' in an app that runs", contestants, [contestants[0].Name]);
        long alone = ProportionalKilobytes(supervisor) + ProportionalKilobytes(leader);
        await using Pod another = await StartAsync(runtime, image, "nspawn");
        long oneOfTwo = ProportionalKilobytes(supervisor) + ProportionalKilobytes(leader);
        Console.WriteLine();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"an nspawn pod besides its app: 2 processes, {alone} KiB (PSS) where it is alone, {oneOfTwo} KiB where two share the tree"));
        await another.StopAsync(TimeSpan.Zero);
        await nspawn.StopAsync(TimeSpan.Zero);
        await fly.StopAsync(TimeSpan.Zero);
        return 0;
    }

    private static Task<Pod> StartAsync(PodRuntime runtime, StoredImage image, string flavour) => runtime.RunAsync(
        new PodSpec(new AppSpec(image) { Exec = "/bin/busybox", Arguments = { "sleep", "100000" } }) { Stage1 = flavour, RemoveOnExit = true });

    private static Contestant Command(string name, Pod pod) => new(name, async () =>
    {
        await using PodExec command = await pod.ExecAsync(null, ["/bin/true"]);
        return (await command.WaitAsync()).ExitCode;
    });

    private static IEnumerable<int> Children(int pid) =>
        File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task/{pid}/children"))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(p => int.Parse(p, CultureInfo.InvariantCulture));

    private static long ProportionalKilobytes(int pid) =>
        File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/smaps_rollup"))
            .Where(l => l.StartsWith("Pss:", StringComparison.Ordinal))
            .Sum(l => long.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));
}
