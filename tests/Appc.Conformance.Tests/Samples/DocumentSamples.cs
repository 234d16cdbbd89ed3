using System.Text.RegularExpressions;
using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Samples;

/// <summary>The C# samples of a document, and what they need to be compiled and run.</summary>
internal static partial class DocumentSamples
{
    /// <summary>The samples of a document, in its order.</summary>
    public static async Task<string[]> ReadAsync(string document) =>
        [.. CSharpBlock().Matches(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, document))).Select(m => m.Groups["code"].Value)];

    /// <summary>A project of a program against the libraries that the command line program was published with, and others.</summary>
    public static string Project(IEnumerable<string> others)
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

    /// <summary>
    /// Arguments of unshare(1) for shell commands in a world's directory. Samples use the places of a real host: this process tree sees
    /// its own /etc, where the publisher is trusted, and its own /var/lib.
    /// </summary>
    public static string[] InOwnPlaces(World world, Materials materials, string commands) =>
    [
        "--mount", "--propagation", "private", "sh", "-c", $"""
        set -e
        cd '{world.Home}'
        mkdir -p over && mount -t tmpfs tmpfs over && mkdir over/upper over/work
        mount -t overlay -o lowerdir=/etc,upperdir=over/upper,workdir=over/work overlay /etc
        mount -t tmpfs tmpfs /var/lib
        {Materials.Appc} trust add --quiet --prefix example.com --yes {materials.PublicKey} >/dev/null
        {commands}
        """,
    ];

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();
}
