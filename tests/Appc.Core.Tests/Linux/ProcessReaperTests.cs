using System.Diagnostics;

namespace Appc.Linux;

public sealed class ProcessReaperTests
{
    [Fact]
    public async Task The_hosts_own_children_are_left_to_the_host()
    {
        using ProcessReaper reaper = new();
        using Process own = Process.Start(new ProcessStartInfo("/usr/bin/busybox", ["sh", "-c", "exit 3"]))!;
        using LaunchPlan plan = new("pod x", 0);
        plan.Execute(["/usr/bin/busybox"], ["sh", "-c", "exit 4"], []);
        Assert.Equal(4, (await reaper.WaitAsync(plan.Start().PidFd, isChild: true)).Value);
        await own.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(3, own.ExitCode);
    }

    [Fact]
    public async Task The_end_of_a_process_that_is_no_child_is_seen()
    {
        using ProcessReaper reaper = new();
        using Process shell = Process.Start(new ProcessStartInfo("/usr/bin/busybox", ["sh", "-c", "sleep 60 & echo $!; cat >/dev/null; kill $!; wait"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        int grandchild = int.Parse((await shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!, System.Globalization.CultureInfo.InvariantCulture);
        long start = ProcFs.StartTime(grandchild)!.Value;
        Task ended = reaper.WaitAsync(grandchild, start);
        Assert.False(ended.IsCompleted);
        shell.StandardInput.Close();
        await ended.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_wait_that_is_given_up_keeps_nothing()
    {
        using ProcessReaper reaper = new();
        using Process process = Process.Start("/usr/bin/busybox", ["sleep", "60"]);
        long start = ProcFs.StartTime(process.Id)!.Value;
        Task kept = reaper.WaitAsync(process.Id, start, TestContext.Current.CancellationToken);
        int before = PidFds();
        for (int i = 0; i < 50; i++)
        {
            using CancellationTokenSource source = new();
            Task wait = reaper.WaitAsync(process.Id, start, source.Token);
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        }

        Assert.InRange(PidFds(), 0, before + 20);
        Assert.False(kept.IsCompleted);
        process.Kill();
        await kept;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_number_that_belongs_to_another_process_now_counts_as_ended()
    {
        using ProcessReaper reaper = new();
        await reaper.WaitAsync(Environment.ProcessId, ProcFs.StartTime(Environment.ProcessId)!.Value + 1);
        await reaper.WaitAsync(int.MaxValue, 1);
    }

    [Fact]
    public async Task What_was_started_is_reaped_after_disposal_too()
    {
        ProcessReaper reaper = new();
        using LaunchPlan plan = new("pod x", 0);
        plan.Execute(["/usr/bin/busybox"], ["sleep", "0.1"], []);
        Task<ProcessEnd> end = reaper.WaitAsync(plan.Start().PidFd, isChild: true);
        reaper.Dispose();
        reaper.Dispose();
        Assert.Equal(ProcessEndKind.Exited, (await end).Kind);
        Assert.Throws<ObjectDisposedException>(() => { _ = reaper.WaitAsync(Environment.ProcessId, ProcFs.StartTime(Environment.ProcessId)!.Value); });
    }

    private static int PidFds() => Directory.GetFiles("/proc/self/fd").Count(f => new FileInfo(f).LinkTarget?.Contains("pidfd", StringComparison.Ordinal) == true);

    [Fact]
    public void The_start_time_of_a_process_is_field_22()
    {
        string stat = File.ReadAllText("/proc/self/stat");
        long expected = long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(expected, ProcFs.StartTime(Environment.ProcessId));
        Assert.Null(ProcFs.StartTime(int.MaxValue));
        Assert.Equal(36, ProcFs.BootId().Length);
    }
}
