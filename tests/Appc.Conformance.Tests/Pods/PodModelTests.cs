using System.Globalization;

namespace Appc.Conformance.Tests.Pods;

/// <summary>
/// Random operations of several processes on the same pods, each of which may be killed at any moment, against a model of what may
/// be true afterwards. CONTRIBUTING.md tells the long form and how a run is repeated.
/// </summary>
public sealed class PodModelTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Whatever_processes_do_and_whoever_is_killed_the_pods_are_as_the_model_allows()
    {
        int seed = Number("APPC_MODEL_SEED", Random.Shared.Next(100_000));
        int steps = Number("APPC_MODEL_STEPS", 300);
        output.WriteLine($"APPC_MODEL_SEED={seed} APPC_MODEL_STEPS={steps}");
        await using ModelRun run = new(seed, nspawn: Number("APPC_MODEL_NSPAWN", 1) != 0);

        await run.RunAsync(steps);

        foreach ((string what, int count) in run.Done)
        {
            output.WriteLine($"{count,6} {what}");
        }

        Assert.True(run.Done["kills"] > 0 && run.Done["run"] > 0 && run.Done["stop"] > 0);
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
