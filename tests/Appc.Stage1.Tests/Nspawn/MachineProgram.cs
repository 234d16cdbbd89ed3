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

    internal async Task<(int ExitCode, string Output)> RunAsync(IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new(_path, arguments) { RedirectStandardOutput = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output);
    }
}
