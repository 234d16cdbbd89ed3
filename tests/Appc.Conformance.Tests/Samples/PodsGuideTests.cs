using System.Diagnostics;
using System.Text;
using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Samples;

/// <summary>The C# samples of docs/pods.md, compiled as they stand there and run with real pods.</summary>
public sealed class PodsGuideTests(Materials materials, GuideProgram guide) : IClassFixture<GuideProgram>
{
    // Serves /etc, says that it has begun, and ends when it is told to.
    private const string Server = """["/bin/sh", "-c", "busybox httpd -p 127.0.0.1:PORT -h /etc; echo started; echo Ready to accept connections; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo let go; exit 3"]""";

    public static TheoryData<string> Samples => [.. GuideCase.All.Select(c => c.Contains)];

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_sample_of_the_guide_runs_as_printed(string contains)
    {
        await using var world = new World(materials);
        await world.BuildAsync("example.com/web", "1.2", exec: Server.Replace("PORT", "8080", StringComparison.Ordinal), file: "web.aci");
        await world.BuildAsync(
            "example.com/redis", "1", exec: Server.Replace("PORT", "6379", StringComparison.Ordinal), file: "redis.aci", port: """{"name": "redis", "protocol": "tcp", "port": 6379}""");
        GuideCase sample = GuideCase.All.Single(c => c.Contains == contains);
        int number = Array.FindIndex(await GuideProgram.SamplesAsync(), s => s.Contains(contains, StringComparison.Ordinal));
        if (sample.Pod == "shop")
        {
            await Programs.MustAsync("dotnet", guide.Program, "shop", world.Root, world.File_("web.aci"), "none");
        }

        using Process process = Start(world, number, sample.Pod);
        Task<string> error = process.StandardError.ReadToEndAsync();
        StringBuilder output = new();
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(5));
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            output.Append(line).Append('\n');
            if (line.StartsWith("ended had", StringComparison.Ordinal))
            {
                await Programs.MustAsync("dotnet", guide.Program, "open", world.Root, world.File_("web.aci"), "runs");
            }

            if (line.Contains(" Ready ", StringComparison.Ordinal))
            {
                // Of the events, which have no end of their own.
                process.Kill();
                output.Clear().Append("Ready\n");
            }
        }

        await process.WaitForExitAsync(limit.Token);
        Assert.Equal(sample.Output, output.ToString());
        Assert.Equal("", await error);
    }

    [Fact]
    public async Task Every_sample_of_the_guide_is_known() =>
        Assert.All(await GuideProgram.SamplesAsync(), sample => Assert.Single(GuideCase.All, c => sample.Contains(c.Contains, StringComparison.Ordinal)));

    private Process Start(World world, int number, string pod) => Programs.Start("unshare", DocumentSamples.InOwnPlaces(world, materials, $"""
        export TMPDIR='{world.Home}'
        {Materials.Appc} fetch --quiet ./web.aci >/dev/null
        exec dotnet {guide.Program} {number} '{world.Root}' '{world.File_("web.aci")}' {pod}
        """));
}
