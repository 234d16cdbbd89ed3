using Appc.Conformance.Tests.Cli;

[assembly: AssemblyFixture(typeof(Materials))]

namespace Appc.Conformance.Tests.Cli;

/// <summary>What all tests of the program share: a root file system with busybox, and keys made by gpg.</summary>
public sealed class Materials : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("appc-cli-").FullName;

    /// <summary>The published program.</summary>
    public static string Appc { get; } = Path.Combine(AppContext.BaseDirectory, "published", "appc");

    public string Rootfs => Path.Combine(_directory, "rootfs");

    /// <summary>The publisher's secret and public key.</summary>
    public string SecretKey => Path.Combine(_directory, "publisher.secret.asc");

    public string PublicKey => Path.Combine(_directory, "publisher.asc");

    /// <summary>Somebody else's.</summary>
    public string StrangerSecretKey => Path.Combine(_directory, "stranger.secret.asc");

    public string StrangerPublicKey => Path.Combine(_directory, "stranger.asc");

    public async ValueTask InitializeAsync()
    {
        Assert.True(File.Exists(Appc), $"{Appc} is missing: build the test project");
        Directory.CreateDirectory(Path.Combine(Rootfs, "bin"));
        File.Copy("/bin/busybox", Path.Combine(Rootfs, "bin/busybox"));
        foreach (string applet in new[] { "sh", "true", "false", "sleep", "cat", "id", "echo", "grep", "env", "ls", "head", "kill", "awk", "touch", "hostname", "dd" })
        {
            File.CreateSymbolicLink(Path.Combine(Rootfs, "bin", applet), "busybox");
        }

        foreach (string directory in new[] { "dev", "proc", "sys", "run", "tmp", "etc" })
        {
            Directory.CreateDirectory(Path.Combine(Rootfs, directory));
        }

        await File.WriteAllTextAsync(Path.Combine(Rootfs, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
        await File.WriteAllTextAsync(Path.Combine(Rootfs, "etc/group"), "root:x:0:\n");
        await MakeKeyAsync("publisher", SecretKey, PublicKey);
        await MakeKeyAsync("stranger", StrangerSecretKey, StrangerPublicKey);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static async Task MakeKeyAsync(string name, string secret, string @public)
    {
        string home = Directory.CreateTempSubdirectory("gpg-").FullName;
        var environment = new Dictionary<string, string> { ["GNUPGHOME"] = home };
        try
        {
            await GpgAsync("--quick-generate-key", $"{name} <{name}@example.com>", "ed25519", "sign", "1y");
            await GpgAsync("--armor", "--output", @public, "--export");
            await GpgAsync("--armor", "--output", secret, "--export-secret-keys");
        }
        finally
        {
            await Programs.RunAsync("gpgconf", ["--homedir", home, "--kill", "all"], environment);
            Directory.Delete(home, recursive: true);
        }

        async Task GpgAsync(params string[] arguments)
        {
            Outcome outcome = await Programs.RunAsync("gpg", ["--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback", .. arguments], environment);
            Assert.True(outcome.ExitCode == 0, outcome.ToString());
        }
    }
}
