using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Images;

/// <summary>The short form of the soak run (CONTRIBUTING.md tells the long one).</summary>
public sealed class SoakTests
{
    [Fact]
    public async Task Eight_processes_share_a_store_and_nothing_is_lost()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "soak", "StoreSoak");

        Outcome outcome = await Programs.RunAsync(program, "--seconds", "10", "--processes", "8", "--directory", "/dev/shm");

        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Contains("render ", outcome.Output, StringComparison.Ordinal);
    }
}
