using System.Globalization;
using Appc.Linux;

namespace Appc.Stage1.Fly;

/// <summary>Pods that record their own end. That they do it when their starter was killed is shown by the fault tests, at every system call.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class FlyKeeperTests : IDisposable
{
    private readonly FlyStage1 _stage1 = new();
    private readonly FlyPod _pod = new() { Options = new Stage1Options { RecordsOwnEnd = true } };

    public void Dispose()
    {
        _stage1.Dispose();
        _pod.Dispose();
    }

    [Theory]
    [InlineData("exit 0", "exited 0 success")]
    [InlineData("exit 7", "exited 7 exit-code")]
    [InlineData("exit 255", "exited 255 exit-code")]
    public async Task The_end_is_recorded(string script, string status)
    {
        _pod.Shell(script);
        await _pod.RunAsync(_stage1);
        Assert.Equal(status, _pod.Status);
        _pod.ReleaseLock();
        Assert.False(_pod.IsLocked);
    }

    [Fact]
    public async Task A_pod_that_is_stopped_or_killed_is_recorded_and_another_process_of_the_same_number_is_left_alone()
    {
        _pod.Shell("trap 'exit 3' TERM; echo ready; " + FlyPod.Waits);
        Stage1Process process = await _stage1.StartAsync(_pod.Describe());
        while (!_pod.Output.Contains("ready", StringComparison.Ordinal))
        {
            await Task.Delay(5);
        }

        using FlyStage1 other = new();
        await other.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(30));
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("exited 3 exit-code", _pod.Status);

        _pod.Renew();
        process = await _stage1.StartAsync(_pod.Describe());
        await other.StopAsync(_pod.Describe(), process.Id, TimeSpan.Zero);
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("killed 9 signal", _pod.Status);
    }

    [Fact]
    public async Task The_keeper_is_outside_of_the_pod_holds_its_lock_and_blocks_every_signal()
    {
        _pod.Shell("ls /proc | grep -c '^[0-9]'; for f in /proc/$$/fd/*; do [ -e $f ] && echo ${f##*/}; done; " + FlyPod.Waits + "; exit 4");
        Stage1Process process = await _stage1.StartAsync(_pod.Describe());
        _pod.ReleaseLock();
        int keeper = ProcFs.Parent(process.Id.Pid)!.Value;
        Assert.Equal(Environment.ProcessId, ProcFs.Parent(keeper));
        Assert.Equal(new FileInfo("/proc/self/ns/pid").LinkTarget, new FileInfo($"/proc/{keeper}/ns/pid").LinkTarget);
        Assert.Contains("appc-keeper", new FileInfo($"/proc/{keeper}/exe").LinkTarget, StringComparison.Ordinal);
        Assert.Equal(0xfffffffe7ffbfeffUL & ~(1UL << 31), ProcFs.StatusBits(keeper, "SigBlk")!.Value & 0xfffffffe7ffbfeffUL & ~(1UL << 31));
        Assert.Equal(2, Directory.GetFileSystemEntries($"/proc/{keeper}/fd").Length);
        Assert.InRange(PagesOf(keeper), 1, 64);

        string held = Path.Combine(_pod.Base, "lock");
        Assert.Equal(process.Id.Pid, ProcessIdentity.FindHolder(held)!.Pid);
        PidFd.Signal(PidFd.TryOpen(keeper, ProcFs.StartTime(keeper)!.Value)!, 15);
        await FlyPod.GoOnAsync(process);
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(_pod.IsLocked);
        Assert.Equal("exited 4 exit-code", _pod.Status);
        Assert.Equal("0\n1\n2\n99", string.Join('\n', _pod.Output.TrimEnd().Split('\n')[1..]));
    }

    [Fact]
    public async Task If_the_keeper_is_killed_the_app_goes_on_and_its_end_is_not_known()
    {
        _pod.Shell(FlyPod.Waits);
        Stage1Pod pod = _pod.Describe();
        Stage1Process process = await _stage1.StartAsync(pod);
        _pod.ReleaseLock();
        int keeper = ProcFs.Parent(process.Id.Pid)!.Value;
        PidFd.Signal(PidFd.TryOpen(keeper, ProcFs.StartTime(keeper)!.Value)!, 9);
        while (ProcFs.Stat(keeper) is not null)
        {
            await Task.Delay(5);
        }

        Assert.False(process.Ended.IsCompleted);
        Assert.True(_pod.IsLocked);
        await _stage1.StopAsync(pod, process.Id, TimeSpan.Zero);
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(_pod.IsLocked);
        Assert.False(File.Exists(Path.Combine(_pod.Directory, "status/main")));
    }

    [Fact]
    public async Task A_start_that_fails_is_explained_and_leaves_nothing()
    {
        _pod.App = _pod.App with { Exec = ["/bin/nothing"] };
        for (int i = 0; i < 3; i++)
        {
            _pod.Renew();
            LaunchException error = await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
            Assert.Equal("execute /bin/nothing", error.Step);
            Assert.Contains("/bin/nothing of the app main cannot be executed: no such file", error.Message, StringComparison.OrdinalIgnoreCase);
        }

        _pod.ReleaseLock();
        Assert.False(_pod.IsLocked);
    }

    [Fact]
    public async Task A_hundred_short_pods_at_once_are_all_recorded()
    {
        FlyPod[] pods = [.. Enumerable.Range(0, 100).Select(i =>
        {
            FlyPod pod = new() { Options = _pod.Options };
            pod.Shell($"exit {i}");
            return pod;
        })];
        try
        {
            await Parallel.ForEachAsync(pods, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (pod, cancellation) =>
            {
                Stage1Process process = await _stage1.StartAsync(pod.Describe(), cancellation);
                await process.Ended;
            });
            Assert.All(pods, (pod, i) => Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"exited {i} "), pod.Status, StringComparison.Ordinal));
        }
        finally
        {
            Array.ForEach(pods, p => p.Dispose());
        }
    }

    private static int PagesOf(int pid) => int.Parse(File.ReadAllText($"/proc/{pid}/statm").Split(' ')[1], CultureInfo.InvariantCulture);
}
