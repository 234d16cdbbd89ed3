namespace Appc.PowerShell.Tests;

/// <summary>The script of <c>samples/powershell</c>, run as a person runs it.</summary>
public sealed class SampleScriptTests(Workplace workplace) : IClassFixture<Workplace>
{
    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Builds_signs_trusts_stores_runs_and_reads_the_exit_code(string flavour)
    {
        string root = Path.Combine(workplace.Directory, "data-" + flavour);

        (int exitCode, string[] output, string error) = await PowerShellScripts.RunAsync(
            workplace.Directory,
            Path.Combine(AppContext.BaseDirectory, "run-pod.ps1"),
            "-Modules", PowerShellScripts.Modules, "-Rootfs", workplace.Rootfs, "-SecretKey", workplace.SecretKey, "-PublicKey", workplace.PublicKey,
            "-Root", root, "-Stage1", flavour);

        Assert.True(exitCode == 0, error);
        Assert.Equal(["hello from from-powershell", "3"], output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(root, "pods", "run")));
    }

    [Fact]
    public async Task An_untrusted_image_is_an_exception_that_the_script_can_catch_by_type()
    {
        const string Script = """
            param([string] $Modules, [string] $Image, [string] $Root)
            foreach ($name in 'Appc.Core', 'Appc.Signing', 'Appc.Stage1') { [void] [Reflection.Assembly]::LoadFrom("$Modules/$name.dll") }
            $manifest = [Appc.Manifests.ImageManifest]::Parse('{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/unsigned"}')
            [void] [Appc.Images.AciWriter]::BuildAsync($manifest, './rootfs', $Image).GetAwaiter().GetResult()
            $runtime = [Appc.Signing.OpenPgpPodRuntimeBuilderExtensions]::UseOpenPgp([Appc.Pods.PodRuntimeBuilder]::new($Root)).Build()
            try { $runtime.FetchAsync($Image).GetAwaiter().GetResult() }
            catch [Appc.Trust.TrustException] { $_.Exception.Failure; $_.Exception.Hint.Length -gt 0 }
            """;

        (int exitCode, string[] output, string error) = await PowerShellScripts.RunTextAsync(
            workplace.Directory, Script,
            "-Modules", PowerShellScripts.Modules, "-Image", Path.Combine(workplace.Directory, "unsigned.aci"), "-Root", Path.Combine(workplace.Directory, "data"));

        Assert.True(exitCode == 0, error);
        Assert.Equal(["Unsigned", "True"], output);
    }

    [Fact]
    public async Task Every_public_type_loads_from_the_published_folder()
    {
        const string Script = """
            param([string] $Modules)
            foreach ($name in 'Appc.Core', 'Appc.Signing', 'Appc.Stage1') {
                $assembly = [Reflection.Assembly]::LoadFrom("$Modules/$name.dll")
                if ($assembly.GetTypes().Count -eq 0) { throw "$name is empty" }
                $assembly.GetName().Name
            }
            """;

        (int exitCode, string[] output, string error) = await PowerShellScripts.RunTextAsync(workplace.Directory, Script, "-Modules", PowerShellScripts.Modules);

        Assert.True(exitCode == 0, error);
        Assert.Equal(["Appc.Core", "Appc.Signing", "Appc.Stage1"], output);
    }
}
