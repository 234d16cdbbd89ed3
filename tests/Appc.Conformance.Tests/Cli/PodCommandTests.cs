using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Appc.Pods;
using Appc.Stage1.Nspawn;

namespace Appc.Conformance.Tests.Cli;

/// <summary>Pods from the command line, under both flavours.</summary>
public sealed class PodCommandTests(Materials materials)
{
    [Theory]
    [InlineData("nspawn", 0)]
    [InlineData("nspawn", 7)]
    [InlineData("fly", 0)]
    [InlineData("fly", 7)]
    public async Task Run_passes_output_on_and_ends_with_the_exit_code_of_the_app(string flavour, int code)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();

        Outcome outcome = await world.AppcAsync(
            "run", "--rm", "--stage1", flavour, id, "--exec", "/bin/sh", "--", "-c", $"echo to stdout; echo to stderr >&2; exit {code}");

        Assert.Equal(new Outcome(code, "to stdout\n", "to stderr\n"), outcome);
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());
        Assert.Empty(world.Traces());
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Limits_of_the_command_line_are_enforced_and_strict_refuses_what_cannot_be(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string[] run = ["run", "--rm", "--strict", "--stage1", flavour, id, "--memory", "64M", "--cpu", "500m", "--exec", "/bin/dd", "--", "if=/dev/zero", "of=/dev/null", "count=1"];

        Assert.Equal(0, (await world.AppcAsync([.. run, "bs=16M"])).ExitCode);
        Assert.Equal(137, (await world.AppcAsync([.. run, "bs=200M"])).ExitCode);
        Assert.Empty(world.Traces());

        string image = await world.BuildAsync("example.com/greedy", exec: """["/bin/true"],"isolators":[{"name":"example.com/luck","value":{"limit":"1M"}}]""");
        string greedy = await world.MustAsync("fetch", image);
        string refused = await world.RefusedAsync("run", "--strict", "--stage1", flavour, greedy);
        Assert.Contains("example.com/luck of the app greedy", refused, StringComparison.Ordinal);
        Assert.Equal(0, (await world.AppcAsync("run", "--rm", "--stage1", flavour, greedy)).ExitCode);

        // What is not enforced stands in the pod's report, before it starts and later.
        string prepared = await world.MustAsync("prepare", "--stage1", flavour, greedy, "--memory", "64M");
        JsonElement report = (await world.JsonAsync("status", prepared)).GetProperty("isolators");
        Assert.Equal(
            ["greedy example.com/luck ignored True", "greedy resource/memory enforced False"],
            report.EnumerateArray().Select(i => $"{i.GetProperty("app")} {i.GetProperty("name")} {i.GetProperty("outcome")} {i.GetProperty("reason").ValueKind == JsonValueKind.String}"));
        Assert.Contains("example.com/luck of the app greedy: ", await world.MustAsync("status", prepared), StringComparison.Ordinal);
        Assert.Equal("0", await world.MustAsync("run-prepared", prepared) + (await world.JsonAsync("status", prepared)).GetProperty("exitCode"));
    }

    [Fact]
    public async Task Of_a_pod_without_its_starter_nobody_is_told_another_end_than_who_stops_it()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        await using PodRuntime stopper = new PodRuntimeBuilder(world.Root).UseNspawn().Build();
        await using PodRuntime watcher = new PodRuntimeBuilder(world.Root).UseNspawn().Build();
        for (int round = 0; round < 5; round++)
        {
            string uuid = await world.MustAsync("run", "--detach", id, "--exec", "/bin/sleep", "--", "1000");
            await using Pod stopped = await stopper.OpenAsync(uuid);
            await using Pod watched = await watcher.OpenAsync(uuid);
            Task<PodStatus> stopping = Task.Run(() => stopped.StopAsync(TimeSpan.Zero), TestContext.Current.CancellationToken);
            Task<PodStatus> waiting = watched.WaitAsync(TestContext.Current.CancellationToken);
            PodStatus seen;
            do
            {
                seen = await watched.GetStatusAsync(TestContext.Current.CancellationToken);
            }
            while (!seen.HasEnded);

            Assert.All((PodStatus[])[seen, await waiting, await stopping], s => Assert.Equal("SIGKILL", s.Apps.Single().Signal));
        }
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task An_image_is_made_of_what_an_app_has_left(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string uuid = await world.MustAsync("run", "--detach", "--stage1", flavour, id, "--exec", "/bin/sh", "--", "-c", "echo left >/tmp/note; sleep 1000");
        string file = world.File_("left.aci");
        Assert.Contains("stop it first", await world.RefusedAsync("export", uuid, file), StringComparison.Ordinal);
        Assert.False(File.Exists(file));
        await world.MustAsync("stop", "--force", uuid);

        string left = await world.MustAsync("export", uuid, file);

        Assert.Contains("no app 'none'", await world.RefusedAsync("export", "--app", "none", uuid, file), StringComparison.Ordinal);
        Assert.Contains(file, await world.RefusedAsync("export", uuid, file), StringComparison.Ordinal);
        Assert.Equal(left, (await world.JsonAsync("export", "--overwrite", uuid, file)).GetProperty("id").GetString());
        Outcome next = await world.AppcAsync("--insecure-options=image", "run", "--rm", "--stage1", flavour, file, "--exec", "/bin/cat", "--", "/tmp/note");
        Assert.True(next is { ExitCode: 0, Output: "left\n" }, next.ToString());
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task An_app_that_a_signal_ends_gives_128_and_the_signal(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();

        string mark = Random.Shared.Next(100_000_000, int.MaxValue).ToString(CultureInfo.InvariantCulture);
        using Process appc = world.Start("run", "--stage1", flavour, id, "--exec", "/bin/sh", "--", "-c", $"echo up; exec sleep {mark}");
        Assert.Equal("up", await appc.StandardOutput.ReadLineAsync());
        int app = 0;
        await Programs.UntilAsync(() => (app = ProcessOf("sleep\0" + mark)) != 0, "the app");
        await Programs.MustAsync("kill", "-KILL", app.ToString(CultureInfo.InvariantCulture));
        await appc.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(137, appc.ExitCode);
        JsonElement status = (await world.JsonAsync("list"))[0].GetProperty("apps")[0];
        Assert.Equal("SIGKILL", status.GetProperty("signal").GetString());
        Assert.Equal(JsonValueKind.Null, status.GetProperty("exitCode").ValueKind);
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Arguments_and_environment_arrive_byte_for_byte(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string[] arguments = ["two words", "", "\"quotes'", "$HOME %n \\ ;", "ümlaut ☃", "--", "-c"];
        const string Print = "for a; do echo \"[$a]\"; done; echo \"$GREETING\"";

        string output = await world.MustAsync(
            ["run", "--rm", "--stage1", flavour, "--set-env", "GREETING=hello = world", id, "--exec", "/bin/sh", "--", "-c", Print, "sh", .. arguments]);

        Assert.Equal(string.Concat(arguments.Select(a => $"[{a}]\n")) + "hello = world", output);
    }

    [Fact]
    public async Task Variables_of_the_caller_give_way_to_the_images_those_of_the_pod_and_those_of_the_app()
    {
        await using var world = new World(materials);
        string environment = """[{"name":"IMAGE","value":"image"},{"name":"POD","value":"image"},{"name":"APP","value":"image"}]""";
        string id = await world.StoreAsync(exec: """["/bin/true"],"environment":""" + environment);
        var caller = new Dictionary<string, string> { ["IMAGE"] = "caller", ["POD"] = "caller", ["APP"] = "caller", ["CALLER"] = "a\nb", ["BASH_FUNC_f%%"] = "() { :; }" };

        Outcome outcome = await Programs.RunAsync(
            Materials.Appc,
            [
                .. world.Globals, "run", "--rm", "--stage1", "fly", "--inherit-env", "--set-env", "POD=pod", "--set-env", "APP=pod", id, "--environment", "APP=app",
                "--exec", "/bin/sh", "--", "-c", "echo \"$IMAGE $POD $APP $CALLER\"",
            ],
            caller);

        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Equal("image pod app a\nb\n", outcome.Output);
    }

    [Fact]
    public async Task Status_tells_and_waits_for_readiness()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string ready = await world.MustAsync("run", "--detach", id, "--exec", "/bin/sleep", "--", "1000");
        string waiting = await world.MustAsync(
            "run", "--detach", id, "--exec", "/bin/sleep", "--annotation", "appc.io/executor/supports-systemd-notify=true", "--", "1000");

        Assert.True((await world.JsonAsync("status", "--wait-ready", ready)).GetProperty("ready").GetBoolean());
        string error = await world.RefusedAsync("status", "--wait-ready=1", waiting);
        Assert.Contains($"the pod {waiting} is not ready after 1 s: nothing was announced by hello", error, StringComparison.Ordinal);
        JsonElement status = await world.JsonAsync("status", waiting);
        Assert.Equal(("running", false), (status.GetProperty("state").GetString(), status.GetProperty("apps")[0].GetProperty("ready").GetBoolean()));
        Assert.Contains("running, not ready", await world.MustAsync("status", waiting), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_apps_under_nspawn_are_isolated_from_the_host_and_below_the_caller()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        const string Look = "cat /proc/self/uid_map; grep -E '^(Seccomp|CapBnd):' /proc/self/status; echo done; sleep 1000";

        using Process appc = world.Start("run", id, "--name", "one", "--exec", "/bin/sh", "--", "-c", Look, "---", id, "--name", "two", "--exec", "/bin/sleep", "--", "1000");
        string uidMap = (await appc.StandardOutput.ReadLineAsync())!;
        var status = new Dictionary<string, string>();
        while (await appc.StandardOutput.ReadLineAsync() is { } line && line != "done")
        {
            string[] parts = line.Split('\t', 2);
            status[parts[0]] = parts[1];
        }

        string[] map = uidMap.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("0", map[0]);
        Assert.True(int.Parse(map[1], CultureInfo.InvariantCulture) >= 65536, uidMap);
        Assert.Equal("2", status["Seccomp:"]);
        ulong bounded = ulong.Parse(status["CapBnd:"], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        const ulong SysAdmin = 1UL << 21;
        const ulong SysModule = 1UL << 16;
        Assert.Equal(0UL, bounded & (SysAdmin | SysModule));

        JsonElement pod = (await world.JsonAsync("list"))[0];
        Assert.Equal("running", pod.GetProperty("state").GetString());
        Assert.Equal(["one", "two"], pod.GetProperty("apps").EnumerateArray().Select(a => a.GetProperty("name").GetString()));
        int first = pod.GetProperty("pid").GetInt32();
        Assert.Contains(appc.Id, Ancestors(first));
        int[] members = [.. Descendants(first)];
        Assert.InRange(members.Length, 3, 6);
        string own = File.ReadAllText($"/proc/{appc.Id}/cgroup").Split('\n', StringSplitOptions.RemoveEmptyEntries).Last(l => l.StartsWith("0::", StringComparison.Ordinal) || l.Contains("name=systemd", StringComparison.Ordinal));
        string hierarchy = own[..(own.IndexOf(':', own.IndexOf(':', StringComparison.Ordinal) + 1) + 1)];
        foreach (int member in members)
        {
            string line = File.ReadAllText($"/proc/{member}/cgroup").Split('\n').First(l => l.StartsWith(hierarchy, StringComparison.Ordinal));
            Assert.StartsWith(own.TrimEnd('/'), line, StringComparison.Ordinal);
        }

        string uuid = pod.GetProperty("uuid").GetString()!;
        await world.MustAsync("stop", uuid);
        await appc.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Empty(world.Traces(uuid));
    }

    [Theory]
    [InlineData("nspawn", "INT")]
    [InlineData("nspawn", "TERM")]
    [InlineData("fly", "INT")]
    [InlineData("fly", "TERM")]
    public async Task A_signal_to_run_stops_the_pod(string flavour, string signal)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        const string Script = "trap 'echo stopping; exit 3' TERM; echo up; while :; do sleep 0.05; done";

        // Tests that run in the background may have been started with the interrupt ignored, and children inherit that.
        using Process appc = Programs.Start(
            "env",
            ["--default-signal=INT", Materials.Appc, .. world.Globals, "run", "--stage1", flavour, id, "--exec", "/bin/sh", "--", "-c", Script]);
        Assert.Equal("up", await appc.StandardOutput.ReadLineAsync());
        await Programs.MustAsync("kill", "-" + signal, appc.Id.ToString(CultureInfo.InvariantCulture));
        string rest = await appc.StandardOutput.ReadToEndAsync().WaitAsync(Programs.Patience);
        await appc.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("stopping\n", rest);
        Assert.Equal(3, appc.ExitCode);
        JsonElement pod = (await world.JsonAsync("list"))[0];
        Assert.Equal("exited", pod.GetProperty("state").GetString());
        Assert.Empty(world.Traces(pod.GetProperty("uuid").GetString()!));
    }

    [Theory]
    [InlineData("enter UUID /bin/sh -c 'while :; do echo y; done'")]
    [InlineData("logs --follow UUID")]
    public async Task What_has_no_end_of_its_own_ends_when_nobody_takes_its_output_any_more(string command)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string uuid = await world.MustAsync("run", "--detach", id, "--exec", "/bin/sh", "--", "-c", "while :; do echo y; sleep 0.05; done");

        Outcome outcome = await Programs.RunAsync(
            "bash", "-c", $"'{Materials.Appc}' {string.Join(' ', world.Globals)} {command.Replace("UUID", uuid, StringComparison.Ordinal)} | head -n 1; exit ${{PIPESTATUS[0]}}");

        Assert.Equal((141, "y\n"), (outcome.ExitCode, outcome.Output));
        await world.MustAsync("stop", "--force", uuid);
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Enter_runs_a_command_in_the_app_and_ends_with_its_exit_code(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string uuid = await world.MustAsync("run", "--detach", "--stage1", flavour, id, "--exec", "/bin/sh", "--", "-c", "echo mine > /mark; while :; do sleep 0.05; done");

        // Detached, the app may be a moment behind.
        Outcome seen;
        do
        {
            seen = await world.AppcAsync("enter", uuid, "/bin/cat", "/mark");
        }
        while (seen.Output != "mine\n" && seen.Error.Contains("/mark", StringComparison.Ordinal));
        Assert.Equal(new Outcome(0, "mine\n", ""), seen);
        Outcome outcome = await world.AppcAsync("enter", "--as-root", uuid, "/bin/sh", "-c", "echo out; echo err >&2; exit 7");
        Assert.Equal(new Outcome(7, "out\n", "err\n"), outcome);

        Outcome missing = await world.AppcAsync("enter", uuid, "/bin/nothing");
        Assert.Equal(254, missing.ExitCode);
        Assert.Contains("/bin/nothing", missing.Error, StringComparison.Ordinal);
        Outcome other = await world.AppcAsync("enter", "--app", "other", uuid, "/bin/true");
        Assert.Equal(254, other.ExitCode);
        Assert.Contains("has no app 'other'", other.Error, StringComparison.Ordinal);

        await world.MustAsync("stop", "--timeout", "2s", uuid);
        Outcome ended = await world.AppcAsync("enter", uuid, "/bin/true");
        Assert.Equal(254, ended.ExitCode);
        Assert.Contains("does not run", ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task A_detached_pod_outlives_its_starter_and_is_seen_stopped_and_collected(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string file = world.File_("uuid");

        string uuid = await world.MustAsync(
            "run", "--detach", "--stage1", flavour, "--uuid-file-save", file, id, "--exec", "/bin/sh", "--", "-c", "echo up; exec sleep 1000");

        Assert.True(Guid.TryParseExact(uuid, "D", out _), uuid);
        Assert.Equal(uuid + "\n", await File.ReadAllTextAsync(file));
        JsonElement status = await world.JsonAsync("status", uuid[..8]);
        Assert.Equal("running", status.GetProperty("state").GetString());
        Assert.Equal(flavour, status.GetProperty("stage1").GetString());
        Assert.True(Directory.Exists($"/proc/{status.GetProperty("pid").GetInt32()}"));
        await Programs.UntilAsync(() => world.AppcAsync("logs", uuid).GetAwaiter().GetResult().Output == "up\n", "the app's output");
        Assert.Contains(uuid, await world.RefusedAsync("rm", uuid), StringComparison.Ordinal);
        Assert.Contains(id[..15], await world.RefusedAsync("image", "rm", id), StringComparison.Ordinal);

        Assert.Equal(uuid, await world.MustAsync("stop", "--timeout", "2s", uuid));

        status = await world.JsonAsync("status", uuid);
        Assert.Equal("exited", status.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.Null, status.GetProperty("pid").ValueKind);
        Assert.Empty(world.Traces(uuid));
        Assert.Equal(uuid, await world.MustAsync("stop", uuid));
        await world.MustAsync("gc", "--grace-period", "0");
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());
        await world.MustAsync("image", "rm", id);
        Assert.Empty(world.Leftovers());
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Status_waits_for_the_end_when_asked(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string uuid = await world.MustAsync("run", "--detach", "--stage1", flavour, id, "--exec", "/bin/sh", "--", "-c", "sleep 0.3; exit 5");

        JsonElement status = await world.JsonAsync("status", "--wait", uuid);

        Assert.Equal("exited", status.GetProperty("state").GetString());
        JsonElement app = status.GetProperty("apps")[0];
        Assert.Equal("hello", app.GetProperty("name").GetString());
        Assert.Equal(id, app.GetProperty("imageId").GetString());
        if (flavour == "fly")
        {
            // Nobody was left who could see how it ended, and that is said.
            Assert.Equal("unknown", app.GetProperty("state").GetString());
            Assert.Equal(JsonValueKind.Null, app.GetProperty("exitCode").ValueKind);
            return;
        }

        Assert.True(app.GetProperty("exitCode").ValueKind == JsonValueKind.Number, status.GetRawText());
        Assert.Equal(5, app.GetProperty("exitCode").GetInt32());
        DateTimeOffset created = status.GetProperty("created").GetDateTimeOffset();
        Assert.EndsWith("Z", status.GetProperty("finished").GetString(), StringComparison.Ordinal);
        Assert.True(status.GetProperty("finished").GetDateTimeOffset() >= created);
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Prepare_and_run_prepared_are_run_in_two_steps(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();

        string uuid = await world.MustAsync("prepare", "--stage1", flavour, id, "--exec", "/bin/sh", "--", "-c", "echo ran; exit 4");
        Assert.Equal("prepared", (await world.JsonAsync("status", uuid)).GetProperty("state").GetString());
        Assert.Contains("\"echo ran; exit 4\"", await world.MustAsync("cat-manifest", uuid), StringComparison.Ordinal);

        Outcome outcome = await world.AppcAsync("run-prepared", uuid);

        Assert.Equal(new Outcome(4, "ran\n", string.Empty), outcome);
        Assert.Contains(uuid, await world.RefusedAsync("run-prepared", uuid), StringComparison.Ordinal);
        Assert.Equal(uuid, await world.MustAsync("rm", uuid));
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());
    }

    [Fact]
    public async Task Gc_keeps_what_is_within_its_grace_period()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        await world.AppcAsync("run", "--stage1", "fly", id);
        string uuid = (await world.JsonAsync("list"))[0].GetProperty("uuid").GetString()!;

        JsonElement first = await world.JsonAsync("gc");

        Assert.Equal(uuid, first.GetProperty("marked")[0].GetString());
        Assert.Equal("exited garbage", (await world.JsonAsync("status", uuid)).GetProperty("state").GetString());
        Assert.Equal(uuid, (await world.JsonAsync("gc", "--grace-period", "0")).GetProperty("removed")[0].GetString());
    }

    [Theory]
    [InlineData("capabilities")]
    [InlineData("paths")]
    [InlineData("seccomp")]
    public async Task Each_insecure_option_is_warned_about(string option)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();

        Outcome outcome = await world.AppcAsync("--insecure-options=" + option, "run", "--rm", "--stage1", "fly", id);

        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Contains($"appc: warning: --insecure-options={option}: ", outcome.Error, StringComparison.Ordinal);
    }

    /// <summary>The process that has exactly these arguments, each ended by a zero byte but the last.</summary>
    private static int ProcessOf(string arguments)
    {
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                if (int.TryParse(Path.GetFileName(directory), out int pid) && File.ReadAllText($"{directory}/cmdline").TrimEnd('\0') == arguments)
                {
                    return pid;
                }
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }

        return 0;
    }

    private static IEnumerable<int> Ancestors(int pid)
    {
        for (int parent = Parent(pid); parent > 0; parent = Parent(parent))
        {
            yield return parent;
        }
    }

    private static IEnumerable<int> Descendants(int pid)
    {
        yield return pid;
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out int candidate) && Ancestors(candidate).Contains(pid))
            {
                yield return candidate;
            }
        }
    }

    private static int Parent(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
