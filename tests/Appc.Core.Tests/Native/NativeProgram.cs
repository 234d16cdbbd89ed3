using System.Diagnostics;
using Appc.Core.Tests.Manifests;

[assembly: AssemblyFixture(typeof(Appc.Core.Tests.Native.NativeProgram))]

namespace Appc.Core.Tests.Native;

/// <summary>tests/Appc.Aot, published as native code once for all tests that want it.</summary>
public sealed class NativeProgram : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("appc-aot-").FullName;
    private readonly Lazy<Task<(string Program, string Output)>> _published;

    public NativeProgram() => _published = new(PublishAsync);

    /// <summary>The program's file, and what its publication said.</summary>
    public Task<(string Program, string Output)> Published => _published.Value;

    public static async Task<(int Status, string Output)> RunAsync(string program, string[] arguments, string input = "")
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

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<(string Program, string Output)> PublishAsync()
    {
        // The analyzers have run when the solution was built; what the native compiler and the trimmer find is said all the same.
        (int status, string output) = await RunAsync("dotnet", ["publish", SourceTree.Path("tests/Appc.Aot"), "-c", "Release", "--artifacts-path", _folder, "-v", "q", "--nologo", "-nodeReuse:false", "-p:RunAnalyzers=false"]);
        Assert.True(status == 0, output);
        return (Path.Combine(_folder, "publish", "Appc.Aot", "release", "Appc.Aot"), output);
    }
}
