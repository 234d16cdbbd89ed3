using System.Diagnostics;

namespace Appc.Linux;

public sealed class UntrustedFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("appc-untrusted-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_plain_file_is_read()
    {
        string path = Path.Combine(_directory, "status");
        File.WriteAllText(path, "exited 0 success\n");
        (string text, DateTimeOffset written) = UntrustedFile.TryRead(path)!.Value;
        Assert.Equal("exited 0 success\n", text);
        Assert.Equal(File.GetLastWriteTimeUtc(path), written.UtcDateTime);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("mkfifo status")]
    [InlineData("mkdir status")]
    [InlineData("ln -s /etc/hostname status")]
    [InlineData("ln -s status status")]
    [InlineData("mknod status c 5 1")]
    [InlineData("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"status\")'")]
    public async Task Nothing_else_is(string command)
    {
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command]) { WorkingDirectory = _directory })!;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        Assert.Null(UntrustedFile.TryRead(Path.Combine(_directory, "status")));
    }

    [Fact]
    public void Of_a_long_file_the_beginning_is_read()
    {
        string path = Path.Combine(_directory, "status");
        File.WriteAllBytes(path, new byte[1 << 20]);
        Assert.Equal(4096, UntrustedFile.TryRead(path)!.Value.Text.Length);
    }
}
