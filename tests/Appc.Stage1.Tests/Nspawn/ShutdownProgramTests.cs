using System.Runtime.InteropServices;

namespace Appc.Stage1.Nspawn;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class ShutdownProgramTests : IDisposable
{
    private readonly MachineProgram _program = new(ShutdownProgram.Make(RuntimeInformation.ProcessArchitecture));

    public void Dispose() => _program.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(0, "exit", "--timeout=90000000us", "--log-level=4", "--log-target=null")]
    [InlineData(37, "exit", "--exit-code", "37")]
    [InlineData(203, "exit", "--log-level", "4", "--exit-code", "203", "--log-color")]
    [InlineData(255, "exit", "--exit-codes", "1", "--exit-cod", "2", "--exit-code", "255")]
    [InlineData(0, "exit", "--exit-code")]
    [InlineData(226, "exit", "--timeout=90000000us", "--log-level=4", "--log-target=null", "--exit-code=226")]
    [InlineData(7, "exit", "--exit-code:9", "--exit-code=7")]
    [InlineData(0, "exit", "--exit-code=")]
    public async Task It_passes_the_exit_code_on(int expected, params string[] arguments) =>
        Assert.Equal(expected, (await _program.RunAsync(arguments)).ExitCode);

    [Fact]
    public void It_is_there_for_both_architectures()
    {
        byte[] x64 = ShutdownProgram.Make(Architecture.X64);
        byte[] arm64 = ShutdownProgram.Make(Architecture.Arm64);
        Assert.Equal(62, x64[18]);
        Assert.Equal(183, arm64[18]);
        Assert.Equal("--exit-code\0ode="u8, arm64.AsSpan(arm64.Length - 16));
    }
}
