namespace Appc.PowerShell.Tests;

/// <summary>The PowerShell sample of the README, run as printed.</summary>
public sealed class ReadmeTests(Workplace workplace) : IClassFixture<Workplace>
{
    [Fact]
    public async Task The_powershell_sample_runs_as_printed()
    {
        string sample = (await PowerShellScripts.SamplesOfAsync("README.md"))[0];
        await File.WriteAllTextAsync(Path.Combine(workplace.Directory, "sample.ps1"), sample);
        await File.WriteAllTextAsync(Path.Combine(workplace.Directory, "prepare.ps1"), """
            foreach ($name in 'Appc.Core', 'Appc.Signing') { [void] [Reflection.Assembly]::LoadFrom("$PWD/modules/$name.dll") }
            $manifest = [Appc.Manifests.ImageManifest]::Parse('{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/hello","app":{"exec":["/bin/sh","-c","echo hello from a pod; exit 3"],"user":"0","group":"0"}}')
            [void] [Appc.Images.AciWriter]::BuildAsync($manifest, "$PWD/rootfs", "$PWD/hello.aci").GetAwaiter().GetResult()
            [void] [Appc.Signing.OpenPgpSigner]::SignFileAsync("$PWD/hello.aci", "$PWD/secret.asc").GetAwaiter().GetResult()
            [void] [Appc.Signing.Keystore]::new().AddFileAsync("$PWD/public.asc", [Appc.Manifests.AcIdentifier]::Parse('example.com')).GetAwaiter().GetResult()
            """);

        // The sample uses the places of a real host: this process tree sees its own /etc and /var/lib.
        string host = Path.Combine(AppContext.BaseDirectory, "host", "PowerShellHost");
        string script = $"""
            set -e
            ln -sfn '{PowerShellScripts.Modules}' modules
            mkdir -p over && mount -t tmpfs tmpfs over && mkdir over/upper over/work
            mount -t overlay -o lowerdir=/etc,upperdir=over/upper,workdir=over/work overlay /etc
            mount -t tmpfs tmpfs /var/lib
            '{host}' prepare.ps1
            exec '{host}' sample.ps1
            """;
        (int exitCode, string[] output, string error) = await PowerShellScripts.RunProgramAsync(
            workplace.Directory, "unshare", "--mount", "--propagation", "private", "sh", "-c", script);

        Assert.True(exitCode == 0, error);
        Assert.Equal(["hello from a pod", "exit code 3"], output.Where(l => l.Length > 0));
    }
}
