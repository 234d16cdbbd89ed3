using System.Diagnostics;

namespace Appc.Core.Tests.Manifests;

/// <summary>A console program that is published as native code reads manifests and archives as any other does.</summary>
public sealed class AotTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("appc-aot-").FullName;

    [Fact]
    public async Task A_native_program_reads_manifests_and_archives()
    {
        (int status, string output) = await Run("dotnet", ["publish", SourceTree.Path("tests/Appc.Aot"), "-c", "Release", "--artifacts-path", _folder, "-v", "q", "--nologo", "-nodeReuse:false"], "");
        Assert.True(status == 0, output);
        Assert.DoesNotContain("warning", output, StringComparison.OrdinalIgnoreCase);

        string program = Path.Combine(_folder, "publish", "Appc.Aot", "release", "Appc.Aot");
        (status, output) = await Run(program, [], """{"name":"example.com/a","acVersion":"0.8.11","acKind":"ImageManifest","app":{"user":"0","group":"0","isolators":[{"name":"resource/cpu","value":{"limit":"500m"}}]}}""");
        Assert.Equal(0, status);
        Assert.StartsWith("{\n    \"acKind\": \"ImageManifest\",\n", output, StringComparison.Ordinal);

        (status, output) = await Run(program, [], """{"acKind":"PodManifest","acVersion":"0.8"}""");
        Assert.Equal(1, status);
        Assert.Equal(2, output.Trim().Split('\n').Length);
        Assert.Contains("$.acVersion (line 1, column 37): not an AC Version", output, StringComparison.Ordinal);
        ReadsArchives(program);
    }

    private static void ReadsArchives(string program)
    {
        using Images.ImageFixture fixture = new();
        foreach ((string compress, string name) in ((string, string)[])[("cat", "none"), ("gzip", "gzip"), ("bzip2", "bzip2"), ("xz", "xz"), ("zstd", "zstd")])
        {
            string archive = fixture.Pack("example.com/a", root => File.WriteAllText(Path.Combine(root, "f"), "x"), compress: compress);
            string said = Images.ImageFixture.Shell($"'{program}' < '{archive}'");
            Assert.StartsWith(name + " sha512-", said, StringComparison.Ordinal);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<(int Status, string Output)> Run(string program, string[] arguments, string input)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };

        // A build inside of a test run must not take over what that run was told.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || name.StartsWith("CORECLR", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }
}
