using System.Diagnostics;

namespace Appc.Stage1.Nspawn;

/// <summary>A program of a stage1 tree that is made here byte by byte, as a file to be executed.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class MachineProgram : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), "appc-program-" + Guid.NewGuid().ToString("N"));

    internal MachineProgram(byte[] file)
    {
        File.WriteAllBytes(_path, file);
        File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    public void Dispose() => File.Delete(_path);

    internal Task<(int ExitCode, string Output)> RunAsync(IEnumerable<string> arguments) => RunAsync(_path, arguments);

    /// <summary>Runs it where /run is empty and of nobody else, with variables in its environment, and then a command.</summary>
    internal Task<(int ExitCode, string Output)> RunApartAsync(IEnumerable<string> arguments, string then = "true", params string[] variables) =>
        RunAsync("unshare", ["--mount", "sh", "-c", $"mount -t tmpfs none /run && env \"$@\" && {then}", "sh", .. variables, _path, .. arguments]);

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, IEnumerable<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output);
    }
}
