using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Pods;

/// <summary>The short form of the soak run of pods (CONTRIBUTING.md tells the long one).</summary>
public sealed class PodSoakTests
{
    [Fact]
    public async Task A_host_whose_pods_come_and_go_needs_no_more_of_anything_with_time()
    {
        Outcome outcome = await Programs.RunAsync(ModelWorker.Program, "soak", "--pods", "40", "--seconds", "15");

        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Contains(" waits, ", outcome.Output, StringComparison.Ordinal);
    }
}
