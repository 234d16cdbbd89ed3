using System.Text.RegularExpressions;
using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Samples;

/// <summary>The C# sample of the README, compiled and run as printed.</summary>
public sealed partial class ReadmeTests(Materials materials)
{
    [Fact]
    public async Task The_csharp_sample_runs_as_printed()
    {
        await using var world = new World(materials);
        string readme = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "README.md"));
        string sample = CSharpBlock().Match(readme).Groups["code"].Value;
        Assert.InRange(sample.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 5, 12);

        string project = Directory.CreateDirectory(world.File_("sample")).FullName;
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), sample);
        await File.WriteAllTextAsync(Path.Combine(project, "sample.csproj"), Project([]));
        await Programs.MustAsync("dotnet", "build", project, "-v", "quiet", "-nologo", "-o", Path.Combine(project, "out"));
        await world.BuildAsync(exec: """["/bin/sh", "-c", "echo hello from a pod; exit 3"]""", file: "hello.aci");

        // The sample uses the places of a real host: this process tree sees its own /etc and /var/lib.
        string script = $"""
            set -e
            mkdir -p over && mount -t tmpfs tmpfs over && mkdir over/upper over/work
            mount -t overlay -o lowerdir=/etc,upperdir=over/upper,workdir=over/work overlay /etc
            mount -t tmpfs tmpfs /var/lib
            {Materials.Appc} trust add --quiet --prefix example.com --yes {materials.PublicKey} >/dev/null
            exec dotnet sample/out/sample.dll
            """;
        Outcome outcome = await Programs.RunAsync(
            "unshare", ["--mount", "--propagation", "private", "sh", "-c", $"cd '{world.Home}'\n{script}"], null);

        Assert.Equal(new Outcome(0, "hello from a pod\nexit code 3\n", string.Empty), outcome);
    }

    /// <summary>A project of a program against the libraries that the command line program was published with, and others.</summary>
    internal static string Project(IEnumerable<string> others)
    {
        string[] published = Directory.GetFiles(Path.GetDirectoryName(Materials.Appc)!, "*.dll");
        IEnumerable<string> references =
            from library in published.Concat(others).DistinctBy(Path.GetFileName)
            where Path.GetFileName(library) != "appc.dll"
            select $"""    <Reference Include="{library}" />""";
        return $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
            {string.Join('\n', references)}
              </ItemGroup>
            </Project>
            """;
    }

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();
}
