using System.Globalization;
using System.Text;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Exec;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Nspawn;

public sealed class NspawnExecTests(NspawnFixture fixture) : IDisposable
{
    private const string Waiting = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done";

    // What isolates a process, on lines that a command must have as the app has them.
    private const string Report = """
        for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done
        echo $(id -u) $(id -g); pwd; cat /proc/self/cgroup; readlink /proc/self/root
        grep -v Seccomp_filters /proc/self/status | grep -E '^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|SigIgn|SigBlk|Umask)'
        cat /proc/self/limits /proc/self/oom_score_adj; env | grep -v -E '^(SHLVL|_|PWD|OLDPWD)=' | sort
        """;

    private readonly NspawnPod _pod = new(fixture);
    private readonly Dictionary<NspawnPod, Stage1Process> _processes = [];

    public void Dispose() => _pod.Dispose();

    public static TheoryData<string> Apps => ["root", "user", "capabilities", "filter", "no-new-privileges", "no user namespace"];

    [Theory]
    [MemberData(nameof(Apps))]
    public async Task A_command_has_all_of_the_isolation_of_the_app(string kind)
    {
        Func<App, App> change = kind switch
        {
            "user" => a => a with { User = "web", Group = "2345", SupplementaryGids = [77, 78], WorkingDirectory = "/tmp" },
            "capabilities" => a => a with { User = "1234", Isolators = [NspawnPod.Isolator("os/linux/capabilities-retain-set", """{"set":["CAP_NET_ADMIN","CAP_KILL"]}""")] },
            "filter" => a => a with { Isolators = [NspawnPod.Isolator("os/linux/seccomp-remove-set", """{"set":["uname","getcwd"],"errno":"EACCES"}""")] },
            "no-new-privileges" => a => a with { Isolators = [NspawnPod.Isolator("os/linux/no-new-privileges", "true"), NspawnPod.Isolator("os/linux/oom-score-adj", "300")] },
            _ => a => a,
        };
        if (kind == "no user namespace")
        {
            _pod.Options = new Stage1Options { PrivateUsers = false };
        }

        _pod.Shell(Report + "\n" + Waiting, change);
        await BeginAsync(_pod);

        // Since version 256 systemd leaves users who are not root one inheritable capability, CAP_SETPCAP.
        string[] expected = _pod.Output().Replace("ready\n", "", StringComparison.Ordinal).Replace("CapInh:\t0000000000000100", "CapInh:\t0000000000000000", StringComparison.Ordinal).Split('\n');
        var result = await RunAsync("/bin/sh", "-c", Report);
        Assert.Equal("", result.Error);
        Assert.Equal(expected, result.Output.Split('\n'));
        Assert.Equal(0, result.Exit.ExitCode);
        await StopAsync();
    }

    [Fact]
    public async Task The_filter_denies_what_the_apps_own_denies()
    {
        // Every call that there is, in the app and in a command: the same answers.
        File.Copy(CProgram.SystemCallProbe(), Path.Combine(fixture.Image, "bin/probe"), overwrite: true);
        foreach (Func<App, App> change in (Func<App, App>[])[
            a => a,
            a => a with { User = "1234" },
            a => a with { Isolators = [NspawnPod.Isolator("os/linux/seccomp-retain-set", """{"set":["@appc.io/all"]}""")] },
            a => a with { Isolators = [NspawnPod.Isolator("os/linux/seccomp-remove-set", """{"set":["@systemd/clock","mkdir"],"errno":"ENOTTY"}""")] },
            a => a with { Isolators = [NspawnPod.Isolator("os/linux/seccomp-retain-set", """{"set":["@docker/default-whitelist","mount"],"errno":"ENOTTY"}""")] },
        ])
        {
            using NspawnPod pod = new(fixture);
            pod.Shell("/bin/probe; " + Waiting, change);
            await BeginAsync(pod);
            string[] expected = pod.Output().Replace("ready\n", "", StringComparison.Ordinal).Split('\n');
            Assert.True(expected.Length > 300);
            var result = await RunAsync(pod, new Stage1Command { Arguments = ["/bin/probe"] });

            string[] answers = result.Output.Split('\n');
            Assert.Equal(expected.Length, answers.Length);
            if (pod.Describe().Apps[0].App.Isolators.Any(i => i.ValueJson.Contains("@appc.io/all", StringComparison.Ordinal)))
            {
                // An app that has opted out has systemd-nspawn's filter, which says in two ways that it denies a call, and allows
                // others in each version: what it denies is denied to a command, which only landlock (444 to 446) can do more with,
                // by which a program can only restrict itself.
                static bool IsDenied(string answer) => answer.EndsWith(" EPERM", StringComparison.Ordinal) || answer.EndsWith(" ENOSYS", StringComparison.Ordinal);
                Assert.DoesNotContain(answers.Zip(expected), a => IsDenied(a.Second) && !IsDenied(a.First) && !a.First.StartsWith("44", StringComparison.Ordinal));
                Assert.InRange(answers.Count(IsDenied), expected.Count(IsDenied) - 3, expected.Count(IsDenied) + 10);
            }
            else
            {
                Assert.Equal(expected, answers);
            }

            await StopAsync(pod);
        }
    }

    [Fact]
    public async Task Streams_arguments_and_exit_code_arrive()
    {
        await StartAsync();
        await using Command command = await ExecAsync(new Stage1Command { Arguments = ["sh", "-c", "cat; echo \"$1\" >&2; exit 7", "sh", "a b\n\"$'\\é"] });
        byte[] sent = [.. Enumerable.Range(0, 300_000).Select(i => (byte)i)];
        Task writing = command.WriteAsync(sent);
        byte[] got = await command.ReadOutputAsync();
        await writing;
        Assert.Equal(sent, got);
        Assert.Equal("a b\n\"$'\\é\n", await command.ReadErrorAsync());
        Assert.Equal(new Stage1Exit(7, null), await command.Exec.Ended);
        await StopAsync();
    }

    [Fact]
    public async Task As_root_only_when_asked_and_with_no_more_capabilities()
    {
        await StartAsync(a => a with { User = "1234", Group = "2345" });
        Assert.StartsWith("uid=1234", (await RunAsync("id")).Output, StringComparison.Ordinal);
        var root = await RunAsync(_pod, new Stage1Command { Arguments = ["sh", "-c", "id -u; grep CapEff /proc/self/status; grep Seccomp: /proc/self/status; touch /made"], AsRoot = true });
        Assert.Equal("0\nCapEff:\t00000000a80425fb\nSeccomp:\t2\n", root.Output);
        Assert.True(Libc.TryStat(Path.Combine(_pod.Directory, "stage1/apps/main/upper/made"), out Libc.Statx made));
        Assert.Equal(uint.Parse(_pod.Range!, CultureInfo.InvariantCulture), made.Uid);
        await StopAsync();
    }

    [Fact]
    public async Task A_terminal_is_one_and_is_resized()
    {
        await StartAsync();
        await using Command command = await ExecAsync(new Stage1Command
        {
            Arguments = ["sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo terminal $TERM; read line; echo got $line; stty size; read line"],
            Terminal = new TerminalSize(100, 33),
        });
        Assert.Null(command.Exec.StandardError);
        await command.ReadUntilAsync("terminal xterm");
        command.Exec.Resize!(new TerminalSize(71, 19));
        await command.WriteTextAsync("hello\n");
        await command.ReadUntilAsync("got hello");
        await command.ReadUntilAsync("19 71");

        // Control-C reaches the command as a signal.
        await command.WriteTextAsync("\u0003");
        Assert.Equal(new Stage1Exit(null, 2), await command.Exec.Ended);
        await StopAsync();
    }

    [Fact]
    public async Task Signals_reach_it_and_the_pods_end_ends_it()
    {
        Stage1Process process = await StartAsync();
        await using Command signalled = await ExecAsync(new Stage1Command { Arguments = ["sleep", "1000"] });
        signalled.Exec.Signal(15);
        Assert.Equal(new Stage1Exit(null, 15), await signalled.Exec.Ended);
        signalled.Exec.Signal(15);

        await using Command left = await ExecAsync(new Stage1Command { Arguments = ["sleep", "1000"] });
        await fixture.Stage1.StopAsync(_pod.Describe(), process.Id, TimeSpan.FromSeconds(30));
        Assert.Equal(9, (await left.Exec.Ended).Signal);
        await process.Ended;
        _pod.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData("/bin/nothing", "no such file")]
    [InlineData("nothing", "no such file")]
    [InlineData("/etc/passwd", "permission denied")]
    public async Task What_cannot_be_executed_is_said(string program, string why)
    {
        await StartAsync();
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => ExecAsync(new Stage1Command { Arguments = [program] }));
        Assert.Contains(program, e.Message, StringComparison.Ordinal);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.Contains(_pod.Uuid, e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<LaunchException>(() => ExecAsync(new Stage1Command { Arguments = [Path.GetFileName(program)], Environment = new Dictionary<string, string> { ["PATH"] = ":" } }));
        Assert.Contains($"/{Path.GetFileName(program)}: no such file", e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<LaunchException>(() => ExecAsync(new Stage1Command { Arguments = ["true"], WorkingDirectory = "/nowhere" }));
        Assert.Contains("/nowhere", e.Message, StringComparison.Ordinal);
        await StopAsync();
    }

    [Fact]
    public async Task An_app_that_has_ended_takes_no_commands()
    {
        await _pod.Shell("true").RunAsync();
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => ExecAsync(new Stage1Command { Arguments = ["true"] }));
        Assert.Contains("does not run", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_app_that_ends_while_commands_enter_it_says_so_and_nothing_else()
    {
        // Ends at any moment of the entering, and always as one that has ended.
        for (int i = 0; i < 8; i++)
        {
            using NspawnPod pod = new(fixture);
            Stage1Process process = await pod.Shell($"echo ready; sleep 0.{i + 1}").StartAndWaitForAsync("ready");
            LaunchException e = await Assert.ThrowsAsync<LaunchException>(async () =>
            {
                while (true)
                {
                    var result = await RunAsync(pod, new Stage1Command { Arguments = ["true"] });
                    Assert.True(result.Exit is { ExitCode: 0 } or { Signal: 9 }, result.ToString());
                }
            }).WaitAsync(TimeSpan.FromSeconds(60));
            Assert.EndsWith("the app does not run", e.Message, StringComparison.Ordinal);
            await process.Ended;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_frozen_app_takes_no_commands_and_holds_nobody_up(bool inBetween)
    {
        await StartAsync();
        string freeze = _pod.CGroup + PodCGroup.FreezeFile;
        using ExecTarget target = ExecTarget.Open(ProcessOfApp(), ProcFs.StartTime(ProcessOfApp())!.Value, "test");
        await File.WriteAllTextAsync(freeze, "1");
        if (inBetween)
        {
            // It is frozen after somebody has looked: the child is born and does nothing, and is let go of on request.
            using Stage1Tree tree = new(fixture.Root, new NspawnHost(new NspawnOptions()));
            using HeldTree held = await tree.HoldAsync(default);
            using ExecLauncher launcher = new();
            ExecRequest request = new NspawnExec(_pod.Describe(), AcName.Parse("main"), new Stage1Command { Arguments = ["true"] }, held, new SecurityLabels(new SecurityModules(), _pod.Describe().Manifest)).Describe();
            int before = PodCGroup.Processes(_pod.CGroup!).Count;
            using CancellationTokenSource cancel = new();
            Task<Stage1Exec> starting = launcher.StartAsync(request, target, cancel.Token);
            Assert.True(SpinWait.SpinUntil(() => PodCGroup.Processes(_pod.CGroup!).Count > before, TimeSpan.FromSeconds(30)));
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting).WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(before, PodCGroup.Processes(_pod.CGroup!).Count);
        }
        else
        {
            LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => ExecAsync(new Stage1Command { Arguments = ["true"] })).WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Contains("the app is frozen", e.Message, StringComparison.Ordinal);
            Assert.Contains("cgroup.freeze", e.Hint, StringComparison.Ordinal);
            await File.WriteAllTextAsync(freeze, "0");
            Assert.Equal(0, (await RunAsync("true")).Exit.ExitCode);
            await File.WriteAllTextAsync(freeze, "1");
        }

        // Its grace is over, as it cannot do anything in it, and then it is ended.
        await fixture.Stage1.StopAsync(_pod.Describe(), _processes[_pod].Id, TimeSpan.FromSeconds(1)).WaitAsync(TimeSpan.FromSeconds(60));
        await _processes[_pod].Ended;
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Nothing_of_the_host_leaks_into_it()
    {
        await StartAsync();
        var result = await RunAsync("sh", "-c", "ls -l /proc/self/fd | grep -v -E ' (0|1|2|3)( ->|$)'; readlink /proc/self/exe; tr '\\0' '\\n' < /proc/self/environ | grep -i dotnet; ls /proc | grep -c '^[0-9]'");
        string[] lines = result.Output.TrimEnd().Split('\n');
        Assert.Equal("/bin/busybox", lines[^2]);
        Assert.True(int.Parse(lines[^1], CultureInfo.InvariantCulture) < 10);
        Assert.True(lines.Length < 4, result.Output);
        Assert.All(lines.SkipLast(2), l => Assert.StartsWith("total", l, StringComparison.Ordinal));
        await StopAsync();
    }

    [Fact]
    public async Task The_pod_cannot_trace_or_read_what_enters()
    {
        // Root in the pod, with the capability to trace, tries every process that appears, as fast as it can.
        File.Copy(CProgram.TraceHunter(), Path.Combine(fixture.Image, "bin/hunter"), overwrite: true);
        _pod.Add(new App
        {
            Exec = ["/bin/hunter"],
            Isolators = [NspawnPod.Isolator("os/linux/capabilities-retain-set", """{"set":["CAP_SYS_PTRACE","CAP_DAC_OVERRIDE","CAP_SETUID","CAP_SETGID"]}""")],
        });
        await BeginAsync(_pod);
        List<Task<Stage1Exit>> ends = [];
        try
        {
            for (int i = 0; i < 40; i++)
            {
                await using Command command = await ExecAsync(new Stage1Command { Arguments = ["/bin/true"] });
                ends.Add(command.Exec.Ended);
            }
        }
        finally
        {
            await StopAsync();
        }

        // One that was caught after it had become the command is the pod's to hold, and for no longer than the pod lives.
        await Task.WhenAll(ends).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.DoesNotContain("caught", _pod.Output(), StringComparison.Ordinal);
    }

    private int ProcessOfApp() => NspawnProcesses.OfApp(new PodPaths(_pod.Describe()), AcName.Parse("main"))[0];

    private async Task<Stage1Process> StartAsync(Func<App, App>? change = null)
    {
        _pod.Shell(Waiting, change);
        return await BeginAsync(_pod);
    }

    private async Task<Stage1Process> BeginAsync(NspawnPod pod)
    {
        Stage1Process process = await pod.StartAndWaitForAsync("ready");
        _processes[pod] = process;
        return process;
    }

    private Task<(Stage1Exit Exit, string Output, string Error)> RunAsync(params string[] arguments) => RunAsync(_pod, new Stage1Command { Arguments = arguments });

    private async Task<(Stage1Exit Exit, string Output, string Error)> RunAsync(NspawnPod pod, Stage1Command arguments)
    {
        await using Command command = await ExecAsync(pod, arguments);
        await command.Exec.StandardInput.DisposeAsync();
        Task<byte[]> output = command.ReadOutputAsync();
        string error = await command.ReadErrorAsync();
        return (await command.Exec.Ended, Encoding.UTF8.GetString(await output), error);
    }

    private Task<Command> ExecAsync(Stage1Command command) => ExecAsync(_pod, command);

    private async Task<Command> ExecAsync(NspawnPod pod, Stage1Command command) =>
        new(await fixture.Stage1.ExecAsync(pod.Describe(), new Stage1ProcessId(0, 0, ""), AcName.Parse("main"), command));

    private async Task StopAsync(NspawnPod? pod = null)
    {
        pod ??= _pod;
        await fixture.Stage1.StopAsync(pod.Describe(), _processes[pod].Id, TimeSpan.FromSeconds(30));
        await _processes[pod].Ended;
    }
}
