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
    public async Task Images_are_built_from_entries_and_changed_by_a_script()
    {
        const string Script = """
            param([string] $Modules, [string] $Work)
            [void] [Reflection.Assembly]::LoadFrom("$Modules/Appc.Core.dll")
            $manifest = [Appc.Manifests.ImageManifest]::Parse('{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/made"}')
            $run = [Appc.Images.AciEntry]::File('bin/run', [Text.Encoding]::UTF8.GetBytes('#!/bin/sh'))
            $run.Mode = 493
            $run.Attributes['user.note'] = [byte[]] (1, 2, 3)
            $entries = [Appc.Images.AciEntry[]] ($run, [Appc.Images.AciEntry]::Directory('bin'), [Appc.Images.AciEntry]::SymbolicLink('sh', 'bin/run'))
            $first = [Appc.Images.AciWriter]::BuildAsync($manifest, $entries, "$Work/first.aci").GetAwaiter().GetResult()
            $changes = [Appc.Images.AciChanges]::new()
            $changes.Remove.Add('sh')
            $changes.Entries.Add([Appc.Images.AciEntry]::HardLink('run', 'bin/run'))
            $second = [Appc.Images.AciWriter]::ChangeAsync("$Work/first.aci", $changes, "$Work/second.aci").GetAwaiter().GetResult()
            $first -ne $second
            bash -c "zcat '$Work/second.aci' | zstd -q -o '$Work/second.zst'"
            $limits = [Appc.Images.ArchiveLimits]::new()
            $limits.AllowZstd = $true
            $stream = [IO.File]::OpenRead("$Work/second.zst")
            $summary = [Appc.Images.AciValidator]::ValidateAsync($stream, $limits).GetAwaiter().GetResult()
            $stream.Dispose()
            $summary.Compression, $summary.Entries, ($summary.Id -eq $second)
            """;
        string work = Directory.CreateDirectory(Path.Combine(workplace.Directory, "entries")).FullName;

        (int exitCode, string[] output, string error) = await PowerShellScripts.RunTextAsync(workplace.Directory, Script, "-Modules", PowerShellScripts.Modules, "-Work", work);

        Assert.True(exitCode == 0, error);
        Assert.Equal(["True", "zstd", "5", "True"], output);
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
