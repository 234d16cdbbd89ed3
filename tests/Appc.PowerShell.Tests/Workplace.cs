namespace Appc.PowerShell.Tests;

/// <summary>A directory with a root file system of busybox and a key pair made by gpg.</summary>
public sealed class Workplace : IAsyncLifetime
{
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("appc-ps-").FullName;

    public string Rootfs => Path.Combine(Directory, "rootfs");

    public string SecretKey => Path.Combine(Directory, "secret.asc");

    public string PublicKey => Path.Combine(Directory, "public.asc");

    public async ValueTask InitializeAsync()
    {
        System.IO.Directory.CreateDirectory(Path.Combine(Rootfs, "bin"));
        foreach (string mountPoint in new[] { "dev", "proc", "sys", "run", "tmp" })
        {
            System.IO.Directory.CreateDirectory(Path.Combine(Rootfs, mountPoint));
        }

        File.Copy("/bin/busybox", Path.Combine(Rootfs, "bin/busybox"));
        File.CreateSymbolicLink(Path.Combine(Rootfs, "bin/sh"), "busybox");
        const string MakeKeys = """
            set -e
            export GNUPGHOME=$(mktemp -d)
            trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
            gpg --batch --quiet --passphrase '' --quick-generate-key 'Me <me@example.com>' ed25519 sign 1y
            gpg --batch --quiet --armor --output secret.asc --export-secret-keys
            gpg --batch --quiet --armor --output public.asc --export
            """;
        (int exitCode, _, string error) = await PowerShellScripts.RunProgramAsync(Directory, "/bin/sh", "-c", MakeKeys);
        Assert.True(exitCode == 0, error);
    }

    public ValueTask DisposeAsync()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        return ValueTask.CompletedTask;
    }
}
