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
        (int code, string output) = await _program.RunApartAsync(["--version"]);
        Assert.Equal(0, code);
        Assert.StartsWith("systemd 2", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_becomes_systemd_with_its_environment()
    {
        (int code, string output) = await _program.RunApartAsync([], variables: "LD_TRACE_LOADED_OBJECTS=1");
        Assert.Equal(0, code);
        Assert.Contains("libsystemd", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_leads_questions_about_passwords_to_the_shared_directory()
    {
        (int code, string output) = await _program.RunApartAsync(["--version"], "readlink /run/systemd/ask-password && stat -c %a /run/systemd");
        Assert.Equal(0, code);
        Assert.EndsWith("\n/etc\n755\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_becomes_systemd_where_the_link_cannot_be_made()
    {
        (int code, string output) = await _program.RunApartAsync(["--version"], "env \"$@\"");
        Assert.Equal(0, code);
        Assert.Equal(2, output.Split('\n').Count(l => l.StartsWith("systemd 2", StringComparison.Ordinal)));
    }

    [Fact]
    public void It_is_there_for_both_architectures()
    {
        byte[] x64 = InitProgram.Make(Architecture.X64);
        byte[] arm64 = InitProgram.Make(Architecture.Arm64);
        Assert.Equal(62, x64[18]);
        Assert.Equal(183, arm64[18]);
        Assert.All((byte[][])[x64, arm64], p => Assert.True(p.AsSpan().EndsWith("/usr/lib/systemd/systemd\0/run/systemd\0/run/systemd/ask-password\0/etc\0"u8)));
    }
}
