using System.Diagnostics;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Fly;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class FlyLifeTests : IDisposable
{
    private readonly FlyStage1 _stage1 = new();
    private readonly FlyPod _pod = new();

    public void Dispose()
    {
        _stage1.Dispose();
        _pod.Dispose();
    }

    [Theory]
    [InlineData("exit 0", "exited 0 success")]
    [InlineData("exit 7", "exited 7 exit-code")]
    [InlineData("kill -9 -1; sleep 5", "exited 137 exit-code")]
    public async Task The_end_is_recorded_before_it_is_told(string script, string status)
    {
        if (script.StartsWith("kill", StringComparison.Ordinal))
        {
            // Process 1 cannot kill itself: an inner shell does, and the outer one tells.
            script = "sh -c 'kill -9 $$'; exit $?";
        }

        _pod.Shell(script);
        Stage1Process process = await _stage1.StartAsync(_pod.Describe());
        await process.Ended;
        Assert.Equal(status, _pod.Status);
    }

    [Fact]
    public async Task Output_and_errors_are_appended_to_the_logs()
    {
        _pod.Shell("echo out; echo err >&2");
        await _pod.RunAsync(_stage1);
        await _pod.RunAsync(_stage1);
        Assert.Equal("out\nout\n", _pod.Output);
        Assert.Equal("err\nerr\n", _pod.Error);
    }

    [Fact]
    public async Task The_app_holds_the_lock_for_its_life_and_nothing_else_of_the_host()
    {
        string leak = Path.Combine(_pod.Base, "leak");
        using FileStream open = File.Create(leak);
        _pod.Shell("for f in /proc/$$/fd/*; do [ -e $f ] && echo ${f##*/}; done; " + FlyPod.Waits);
        Stage1Process process = await _stage1.StartAsync(_pod.Describe());
        _pod.ReleaseLock();
        Assert.True(_pod.IsLocked);
        Assert.Equal(ProcFs.StartTime(process.Id.Pid), process.Id.StartTime);
        Assert.Equal(36, process.Id.BootId.Length);
        await FlyPod.GoOnAsync(process);
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(_pod.IsLocked);
        Assert.Equal("0\n1\n2\n99\n", _pod.Output);
    }

    [Fact]
    public async Task An_app_that_handles_the_termination_signal_is_asked()
    {
        _pod.Shell("trap 'echo bye; exit 3' TERM; echo ready; while true; do sleep 0.01; done");
        Stage1Process process = await _stage1.StartAsync(_pod.Describe());
        await ReadyAsync();
        await _stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(30));
        await process.Ended;
        Assert.Equal("ready\nbye\n", _pod.Output);
        Assert.Equal("exited 3 exit-code", _pod.Status);
    }

    [Fact]
    public async Task An_app_that_would_not_hear_the_signal_is_killed_without_waiting()
    {
        _pod.App = _pod.App with { Exec = ["/bin/sleep", "1000"] };
        Stage1Process process = await _stage1.StartAsync(_pod.Describe());
        await _stage1.StopAsync(_pod.Describe(), process.Id, Timeout.InfiniteTimeSpan).WaitAsync(TimeSpan.FromSeconds(30));
        await process.Ended;
        Assert.Equal("killed 9 signal", _pod.Status);
    }

    [Theory]
    [InlineData("echo bye; exit 3", "exited 3 exit-code")]
    [InlineData("echo bye", "killed 9 signal")]
    public async Task An_app_is_asked_by_its_own_signal_and_has_its_own_time(string onSignal, string status)
    {
        _pod.Shell($"trap '{onSignal}' USR1; trap 'echo wrong' TERM; echo ready; while true; do sleep 0.01; done");
        _pod.Runtime = Nspawn.NspawnStopTests.With("2", "SIGUSR1");
        Stage1Process process = await _stage1.StartAsync(_pod.Describe());
        await ReadyAsync();
        await _stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromHours(1)).WaitAsync(TimeSpan.FromSeconds(60));
        await process.Ended;
        Assert.Equal(("ready\nbye\n", status), (_pod.Output, _pod.Status));
    }

    [Fact]
    public async Task After_the_grace_period_everything_of_the_pod_is_killed()
    {
        _pod.Shell("trap '' TERM; sleep 1000 & echo ready; while true; do sleep 0.01; done");
        Stage1Process process = await _stage1.StartAsync(_pod.Describe());
        await ReadyAsync();
        List<int> before = ProcessesOf(process.Id.Pid);
        Assert.InRange(before.Count, 2, 3);
        using FlyStage1 other = new(); // Whoever stops need not have started.
        await other.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromMilliseconds(50));
        Assert.All(before, pid => Assert.True(ProcFs.StartTime(pid) is null || IsZombie(pid)));
        await process.Ended;
        Assert.Equal("killed 9 signal", _pod.Status);
        await other.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_process_that_only_has_the_number_is_left_alone()
    {
        using Process bystander = Process.Start("/usr/bin/busybox", ["sleep", "60"]);
        long start = ProcFs.StartTime(bystander.Id)!.Value;
        await _stage1.StopAsync(_pod.Describe(), new Stage1ProcessId(bystander.Id, start + 1, ProcFs.BootId()), TimeSpan.Zero);
        await _stage1.StopAsync(_pod.Describe(), new Stage1ProcessId(bystander.Id, start, "another boot"), TimeSpan.Zero);
        Assert.False(bystander.HasExited);
        bystander.Kill();
        await bystander.WaitForExitAsync();
    }

    [Theory]
    [InlineData("/bin/nothing", "", "The program /bin/nothing of the app main cannot be executed: no such file")]
    [InlineData("nothing", "", "the program nothing of the app main is in no directory of its PATH")]
    [InlineData("/etc/passwd", "", "/etc/passwd of the app main is not executable")]
    [InlineData("/etc", "", "/etc of the app main is a directory")]
    [InlineData("/bin/script", "", "needs an interpreter")]
    [InlineData("/bin/garbage", "", "is not a program for this machine")]
    [InlineData("/bin/true", "/nowhere", "the working directory /nowhere of the app main does not exist")]
    [InlineData("/bin/true", "/etc/passwd", "the working directory /etc/passwd of the app main is not a directory")]
    [InlineData("/bin/no\u001b[2J", "", "/bin/no?[2J")]
    public async Task A_bad_program_or_directory_is_said_clearly_and_leaves_nothing(string program, string directory, string message)
    {
        foreach ((string name, string content) in ((string, string)[])[("script", "#!/bin/nowhere\n"), ("garbage", "\u0001\u0002\u0003garbage")])
        {
            string path = Path.Combine(_pod.Layer, "bin", name);
            await File.WriteAllTextAsync(path, content);
            File.SetUnixFileMode(path, (UnixFileMode)0x1ed);
        }

        _pod.App = _pod.App with { Exec = [program], WorkingDirectory = directory };
        string mounts = await File.ReadAllTextAsync("/proc/self/mountinfo");
        LaunchException error = await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
        Assert.Contains(message, error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain('\u001b', error.Message + error.Step + error.Hint);
        Assert.Contains("pod 6733c088", error.Message, StringComparison.Ordinal);
        Assert.NotEqual(0, error.Errno);
        Assert.Equal(mounts, await File.ReadAllTextAsync("/proc/self/mountinfo"));
        Assert.False(File.Exists(Path.Combine(_pod.Directory, "status/main")));
        _pod.ReleaseLock();
        Assert.False(_pod.IsLocked);
    }

    [Fact]
    public async Task Programs_are_found_by_PATH_and_by_the_working_directory()
    {
        _pod.App = _pod.App with { Exec = ["sh", "-c", "pwd"], WorkingDirectory = "/etc" };
        Assert.Equal("/etc\n", await _pod.RunAsync(_stage1));
        _pod.App = _pod.App with { Exec = ["../bin/sh", "-c", "echo $0 here"], WorkingDirectory = "/etc" };
        Assert.EndsWith("../bin/sh here\n", await _pod.RunAsync(_stage1), StringComparison.Ordinal);
        _pod.App = _pod.App with { Exec = ["sh", "-c", "echo mine"], Environment = [new EnvironmentVariable("PATH", "/none::/bin")], WorkingDirectory = "" };
        Assert.EndsWith("mine\n", await _pod.RunAsync(_stage1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_a_fly_pod_is_refused()
    {
        _pod.Shell("true");
        Stage1Pod pod = _pod.Describe();
        Assert.Contains("exactly one app", (await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(pod with { Apps = [pod.Apps[0], pod.Apps[0]] }))).Message, StringComparison.Ordinal);
        _pod.Layers = ["/nowhere"];
        Assert.Equal("open the image", (await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()))).Step);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _stage1.StartAsync(pod, new CancellationToken(canceled: true)));
        Assert.Null((await _stage1.ProbeAsync()).Problem);
        Assert.StartsWith("Linux ", (await _stage1.ProbeAsync()).Version, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_status_finds_a_pod_that_has_moved()
    {
        _pod.Shell(FlyPod.Waits + "; exit 5");
        Stage1Process process = await _stage1.StartAsync(_pod.Describe());
        string moved = Path.Combine(_pod.Base, "moved");
        Directory.Move(_pod.Directory, moved);
        await FlyPod.GoOnAsync(process);
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("exited 5 exit-code\n", await File.ReadAllTextAsync(Path.Combine(moved, "status/main")));
    }

    private static bool IsZombie(int pid) => File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);

    private static List<int> ProcessesOf(int first)
    {
        string? space = new FileInfo($"/proc/{first}/ns/pid").LinkTarget;
        List<int> found = [];
        foreach (string directory in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), System.Globalization.CultureInfo.InvariantCulture, out int pid)
                && new FileInfo(directory + "/ns/pid").LinkTarget == space)
            {
                found.Add(pid);
            }
        }

        return found;
    }

    private async Task ReadyAsync()
    {
        while (!_pod.Output.Contains("ready", StringComparison.Ordinal))
        {
            await Task.Delay(5);
        }
    }
}
