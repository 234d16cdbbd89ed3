using System.Runtime.InteropServices;

namespace Appc.Stage1.Nspawn;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class InitProgramTests : IDisposable
{
    private readonly MachineProgram _program = new(InitProgram.Make(RuntimeInformation.ProcessArchitecture));

    public void Dispose() => _program.Dispose();

    [Fact]
    public async Task It_becomes_systemd_with_its_arguments()
    {
        (int code, string output) = await _program.RunAsync(["--version"]);
        Assert.Equal(0, code);
        Assert.StartsWith("systemd 2", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_becomes_systemd_with_its_environment()
    {
        (int code, string output) = await _program.RunAsync([], ("LD_TRACE_LOADED_OBJECTS", "1"));
        Assert.Equal(0, code);
        Assert.Contains("libsystemd", output, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_there_for_both_architectures()
    {
        byte[] x64 = InitProgram.Make(Architecture.X64);
        byte[] arm64 = InitProgram.Make(Architecture.Arm64);
        Assert.Equal(62, x64[18]);
        Assert.Equal(183, arm64[18]);
        Assert.All((byte[][])[x64, arm64], p => Assert.Equal("/usr/lib/systemd/systemd\0"u8, p.AsSpan(p.Length - 25)));
    }
}
