namespace Appc.PowerShell.Tests;

/// <summary>The PowerShell samples of docs/pods.md, run as printed.</summary>
public sealed class PodsGuideTests(Workplace workplace) : IClassFixture<Workplace>
{
    [Fact]
    public async Task The_powershell_sample_reads_the_events_of_a_pod()
    {
        string sample = Assert.Single(await PowerShellScripts.SamplesOfAsync("pods.md"));
        int firstLine = sample.IndexOf('\n', StringComparison.Ordinal) + 1;
        string work = Directory.CreateDirectory(Path.Combine(workplace.Directory, "guide")).FullName;

        // The host of these tests has the core commands only, and no tables. A pod is prepared between the two lines.
        string script = $$"""
            param([string] $Modules, [string] $Work)
            . '{{Path.Combine(AppContext.BaseDirectory, "Scripts", "common.ps1")}}'
            function Format-Table([string[]] $Property) { foreach ($row in $input) { "$($row.Time.Year -gt 2000) $($row.Uuid -eq $pod.Uuid) $($row.Kind) $($row.ExitCode)" } }
            $runtime = [Appc.Stage1.Fly.FlyPodRuntimeBuilderExtensions]::UseFly([Appc.Pods.PodRuntimeBuilder]::new("$Work/data")).UseTrustPolicy([Appc.Trust.TrustPolicy]::Insecure).Build()
            $image = Get-Image $runtime 'example.com/shell' ([Appc.Manifests.AppBuilder]::new().SetExec('/bin/sh', '-c', 'exit 3').SetUser('0', '0'))
            {{sample[..firstLine]}}
            $pod = Wait-Task ($runtime.PrepareAsync([Appc.Pods.PodSpec]::new([Appc.Pods.AppSpec]::new($image))))
            {{sample[firstLine..]}}
            $runtime.Dispose()
            """;
        (int exitCode, string[] output, string error) = await PowerShellScripts.RunTextAsync(work, script, "-Modules", PowerShellScripts.Modules, "-Work", work);

        Assert.True(exitCode == 0, error);
        Assert.NotEmpty(output);
        Assert.All(output, line => Assert.Matches("^True True (Created|Prepared) $", line));
    }
}
