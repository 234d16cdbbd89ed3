using System.Diagnostics;
using Appc.Manifests;

namespace Appc.Stage1.Fly;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class FlyMountsTests : IDisposable
{
    private readonly FlyStage1 _stage1 = new();
    private readonly FlyPod _pod = new();

    public void Dispose()
    {
        _stage1.Dispose();
        _pod.Dispose();
    }

    [Fact]
    public async Task What_is_mounted_for_a_pod_stays_until_its_end_is_recorded_and_no_longer_than_the_pod()
    {
        Stage1Process process = await StartAsync();
        string mounts = MountsOf(process);
        Assert.True(Holds(mounts));

        await EndAsync(process);
        await _stage1.CollectAsync(_pod.Describe());
        Assert.False(Holds(mounts));
    }

    [Fact]
    public async Task Who_disposes_of_the_flavour_finds_nothing_mounted_for_pods_that_have_ended()
    {
        Stage1Process process = await StartAsync();
        string mounts = MountsOf(process);
        await EndAsync(process);
        _stage1.Dispose();
        Assert.False(Holds(mounts));
    }

    [Fact]
    public async Task A_pod_that_has_ended_keeps_nothing_of_the_host_busy()
    {
        string source = Directory.CreateDirectory(Path.Combine(_pod.Base, "host")).FullName;
        await RunAsync("mount", "-t", "tmpfs", "tmpfs", source);
        try
        {
            _pod.Volumes = [new Volume { Name = AcName.Parse("v"), Kind = VolumeKind.Host, Source = source }];
            _pod.Runtime = _pod.Runtime with { Mounts = [new Mount(AcName.Parse("v"), "/v")] };
            Stage1Process process = await StartAsync();
            Assert.False(Holds(MountsOf(process)));
            await EndAsync(process);
        }
        finally
        {
            await RunAsync("umount", source);
        }
    }

    private async Task<Stage1Process> StartAsync()
    {
        _pod.Shell(FlyPod.Waits);
        return await _stage1.StartAsync(_pod.Describe());
    }

    private static async Task EndAsync(Stage1Process process)
    {
        await FlyPod.GoOnAsync(process);
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static string MountsOf(Stage1Process process) => new FileInfo($"/proc/{process.Id.Pid}/ns/mnt").LinkTarget!;

    /// <summary>Whether this process holds a mount namespace.</summary>
    private static bool Holds(string mounts) => Directory.EnumerateFiles("/proc/self/fd").Any(f => new FileInfo(f).LinkTarget == mounts);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
