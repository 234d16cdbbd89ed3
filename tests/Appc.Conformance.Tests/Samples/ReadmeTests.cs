using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Samples;

/// <summary>The C# sample of the README, compiled and run as printed.</summary>
public sealed class ReadmeTests(Materials materials)
{
    [Fact]
    public async Task The_csharp_sample_runs_as_printed()
    {
        await using var world = new World(materials);
        string sample = (await DocumentSamples.ReadAsync("README.md"))[0];
        Assert.InRange(sample.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 5, 12);

        string project = Directory.CreateDirectory(world.File_("sample")).FullName;
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), sample);
        await File.WriteAllTextAsync(Path.Combine(project, "sample.csproj"), DocumentSamples.Project([]));
        await Programs.MustAsync("dotnet", "build", project, "-v", "quiet", "-nologo", "-o", Path.Combine(project, "out"));
        await world.BuildAsync(exec: """["/bin/sh", "-c", "echo hello from a pod; exit 3"]""", file: "hello.aci");

        Outcome outcome = await Programs.RunAsync("unshare", DocumentSamples.InOwnPlaces(world, materials, "exec dotnet sample/out/sample.dll"), null);

        Assert.Equal(new Outcome(0, "hello from a pod\nexit code 3\n", string.Empty), outcome);
    }
}
