using Appc.Stage1;
using Tmds.Linux;

namespace Appc.Linux;

public sealed class LaunchPlanTests : IDisposable
{
    private const string Busybox = "/usr/bin/busybox";
    private static readonly ulong Isolated = (ulong)(LibC.CLONE_NEWNS | LibC.CLONE_NEWUTS | LibC.CLONE_NEWIPC | LibC.CLONE_NEWPID);

    private readonly ProcessReaper _reaper = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("appc-launch-").FullName;

    public void Dispose()
    {
        _reaper.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_program_runs_and_its_exit_code_is_seen()
    {
        (ProcessEnd end, string output) = await RunAsync(0, _ => { }, "echo hello; exit 7");
        Assert.Equal(new ProcessEnd(ProcessEndKind.Exited, 7), end);
        Assert.Equal("hello\n", output);
    }

    [Fact]
    public async Task A_signal_is_told_from_an_exit_code()
    {
        (ProcessEnd end, _) = await RunAsync(0, _ => { }, "kill -9 $$");
        Assert.Equal(new ProcessEnd(ProcessEndKind.Killed, 9), end);
    }

    [Fact]
    public async Task The_program_gets_the_descriptors_it_was_meant_to_get_and_default_signals()
    {
        string other = Path.Combine(_directory, "other");
        using FileStream leak = File.Create(other);
        (ProcessEnd _, string output) = await RunAsync(
            0, _ => { }, "for f in /proc/$$/fd/*; do readlink $f; done; exec grep -E '^Sig(Blk|Ign)' /proc/self/status");
        Assert.DoesNotContain(other, output, StringComparison.Ordinal);
        Assert.Equal(
            "/dev/null\n" + Path.Combine(_directory, "out") + "\n" + Path.Combine(_directory, "out") + "\n",
            string.Concat(output.Split('\n').TakeWhile(l => !l.StartsWith("Sig", StringComparison.Ordinal)).Where(l => l.Length > 0).Select(l => l + "\n")));
        Assert.Contains("SigBlk:\t0000000000000000", output, StringComparison.Ordinal);
        Assert.Contains("SigIgn:\t0000000000000000", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_child_is_the_first_process_of_namespaces_that_end_with_it()
    {
        string before = HostState.Mounts();
        (ProcessEnd end, string output) = await RunAsync(
            Isolated,
            plan =>
            {
                plan.MakeMountsPrivate();
                plan.SetHostName("inside");
                plan.Mount("mount /proc", "proc", "/proc", "proc", 0);
            },
            "echo $$; hostname; ls -d /proc/[0-9]* | wc -l");
        Assert.Equal(0, end.Value);
        string[] lines = output.Split('\n');
        Assert.Equal("1", lines[0]);
        Assert.Equal("inside", lines[1]);
        Assert.InRange(int.Parse(lines[2], System.Globalization.CultureInfo.InvariantCulture), 1, 4);
        Assert.Equal(before, HostState.Mounts());
    }

    [Fact]
    public async Task Identity_and_capabilities_change_in_the_child_alone()
    {
        IReadOnlyList<string> before = HostState.OfThreads();
        (ProcessEnd _, string output) = await RunAsync(
            0,
            plan =>
            {
                plan.LimitCapabilities(1UL << 10, 40);
                plan.KeepCapabilities();
                plan.SetIdentity(1234, 2345, [7, 8]);
                plan.SetCapabilities(1UL << 10, 1UL << 10);
                plan.RaiseAmbientCapabilities(1UL << 10);
                plan.NoNewPrivileges();
            },
            "grep -E '^(Uid|Gid|Groups|Cap|NoNew)' /proc/self/status");
        Assert.Contains("Uid:\t1234\t1234\t1234\t1234", output, StringComparison.Ordinal);
        Assert.Contains("Gid:\t2345\t2345\t2345\t2345", output, StringComparison.Ordinal);
        Assert.Contains("Groups:\t7 8", output, StringComparison.Ordinal);
        Assert.Contains("CapEff:\t0000000000000400", output, StringComparison.Ordinal);
        Assert.Contains("CapBnd:\t0000000000000400", output, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", output, StringComparison.Ordinal);
        Assert.Equal(before, HostState.OfThreads());
        Assert.Equal(1, Libc.prctl(Libc.PR_GET_DUMPABLE, 0, 0, 0, 0));
    }

    [Fact]
    public void A_failed_step_names_itself_and_leaves_no_child()
    {
        using LaunchPlan plan = new("pod x", Isolated);
        plan.MakeMountsPrivate();
        plan.ChangeDirectory("enter /nowhere", "/nowhere");
        plan.Execute([Busybox], ["true"], []);
        LaunchException error = Assert.Throws<LaunchException>(plan.Start);
        Assert.Equal("enter /nowhere", error.Step);
        Assert.Equal(2, error.Errno);
        Assert.Equal("pod x: cannot enter /nowhere: no such file or directory", error.Message);
    }

    [Fact]
    public void Names_from_an_image_cannot_write_to_a_terminal()
    {
        using LaunchPlan plan = new("pod x", 0);
        plan.Execute(["/no\u001b[31m"], ["no"], []);
        LaunchException error = Assert.Throws<LaunchException>(plan.Start);
        Assert.DoesNotContain('\u001b', error.Message);
        Assert.Equal(2, error.Errno);
        Assert.Equal("prepare", Assert.Throws<LaunchException>(() => plan.Text("a\0b")).Step);
    }

    [Fact]
    public async Task The_next_program_is_tried_when_one_is_missing()
    {
        using LaunchPlan plan = new("pod x", 0);
        plan.Execute(["/nowhere/true", Busybox], ["true"], []);
        LaunchedProcess process = plan.Start();
        Assert.Equal(new ProcessEnd(ProcessEndKind.Exited, 0), await _reaper.WaitAsync(process.PidFd, isChild: true));
    }

    [Fact]
    public async Task A_filter_that_no_managed_thread_would_survive_applies_to_the_child()
    {
        // Returns EPERM for everything but what the static program needs to say so: here, mkdir is denied.
        int mkdir = OperatingSystem.IsLinux() && System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
            == System.Runtime.InteropServices.Architecture.X64 ? 83 : 34;
        byte[] filter =
        [
            .. Instruction(0x20, 0, 0, 0),                 // load the number
            .. Instruction(0x15, 0, 1, (uint)mkdir),       // is it mkdir?
            .. Instruction(0x06, 0, 0, 0x00050000 | 1),    // EPERM
            .. Instruction(0x06, 0, 0, 0x7fff0000),        // allow
        ];
        using LaunchPlan plan = new("pod x", 0);
        LaunchArgument output = plan.Open("open the log", Path.Combine(_directory, "out"), LibC.O_WRONLY | LibC.O_CREAT, 0x180);
        plan.PassDescriptors((output, 1), (output, 2));
        plan.Execute([Busybox], ["mkdir", Path.Combine(_directory, "made")], [], filter);
        ProcessEnd end = await _reaper.WaitAsync(plan.Start().PidFd, isChild: true);
        Assert.Equal(1, end.Value);
        Assert.Contains("not permitted", await File.ReadAllTextAsync(Path.Combine(_directory, "out")), StringComparison.Ordinal);
        Assert.All(HostState.OfThreads(), s => Assert.Contains("Seccomp:\t0", s, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Five_hundred_launches_beside_garbage_collections_leave_no_trace_in_the_host()
    {
        IReadOnlyList<string> before = HostState.OfThreads();
        string mounts = HostState.Mounts();
        Assert.Single(before);
        using (GarbageLoad load = new())
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, 500), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, token) =>
            {
                using LaunchPlan plan = new("pod x", Isolated);
                plan.MakeMountsPrivate();
                plan.SetHostName("inside");
                plan.Mount("mount /proc", "proc", "/proc", "proc", 0);
                plan.LimitCapabilities(0, 40);
                plan.SetIdentity(1000, 1000, []);
                plan.NoNewPrivileges();
                plan.PassDescriptors();
                plan.Execute([Busybox], ["sh", "-c", $"exit {i % 100}"], []);
                ProcessEnd end = await _reaper.WaitAsync(plan.Start().PidFd, isChild: true, token);
                Assert.Equal(i % 100, end.Value);
            });
            Assert.InRange(load.Collections, 10, int.MaxValue);
        }

        Assert.Equal(before, HostState.OfThreads());
        Assert.Equal(mounts, HostState.Mounts());
        Assert.Equal(1, Libc.prctl(Libc.PR_GET_DUMPABLE, 0, 0, 0, 0));
        Assert.True(await Task.Run(() => true));
    }

    private static byte[] Instruction(ushort code, byte jumpTrue, byte jumpFalse, uint k) =>
        [.. BitConverter.GetBytes(code), jumpTrue, jumpFalse, .. BitConverter.GetBytes(k)];

    private async Task<(ProcessEnd End, string Output)> RunAsync(ulong namespaces, Action<LaunchPlan> steps, string script)
    {
        string output = Path.Combine(_directory, "out");
        using LaunchPlan plan = new("pod x", namespaces);
        LaunchArgument input = plan.Open("open /dev/null", "/dev/null", LibC.O_RDONLY);
        LaunchArgument log = plan.Open("open the log", output, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_APPEND, 0x1b6);
        steps(plan);
        plan.PassDescriptors((input, 0), (log, 1), (log, 2));
        plan.Execute([Busybox], ["sh", "-c", script], ["PATH=/usr/bin:/bin"]);
        LaunchedProcess process = plan.Start();
        ProcessEnd end = await _reaper.WaitAsync(process.PidFd, isChild: true);
        return (end, await File.ReadAllTextAsync(output));
    }
}
