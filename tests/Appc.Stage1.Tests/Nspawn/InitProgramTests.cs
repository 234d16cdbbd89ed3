using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Appc.Stage1.Nspawn;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class InitProgramTests : IDisposable
{
    private readonly string _program = Path.Combine(Path.GetTempPath(), "appc-init-" + Guid.NewGuid().ToString("N"));

    public InitProgramTests()
    {
        File.WriteAllBytes(_program, InitProgram.Make(RuntimeInformation.ProcessArchitecture));
        File.SetUnixFileMode(_program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    public void Dispose() => File.Delete(_program);

    [Fact]
    public async Task It_becomes_systemd_with_its_arguments() =>
        Assert.StartsWith("systemd 2", await RunAsync(["--version"], []), StringComparison.Ordinal);

    [Fact]
    public async Task It_becomes_systemd_with_its_environment() =>
        Assert.Contains("libsystemd", await RunAsync([], [("LD_TRACE_LOADED_OBJECTS", "1")]), StringComparison.Ordinal);

    [Fact]
    public void It_is_there_for_both_architectures()
    {
        byte[] x64 = InitProgram.Make(Architecture.X64);
        byte[] arm64 = InitProgram.Make(Architecture.Arm64);
        Assert.Equal(62, x64[18]);
        Assert.Equal(183, arm64[18]);
        Assert.All((byte[][])[x64, arm64], p => Assert.Equal("/usr/lib/systemd/systemd\0"u8, p.AsSpan(p.Length - 25)));
    }

    private async Task<string> RunAsync(IEnumerable<string> arguments, IEnumerable<(string Name, string Value)> environment)
    {
        ProcessStartInfo start = new(_program, arguments) { RedirectStandardOutput = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
