using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Appc.Conformance.Tests.Cli;

/// <summary>Attaching from the command line, so from another process than the one that started the pod.</summary>
public sealed class AttachCommandTests(Materials materials)
{
    private const string Waits = "trap 'echo interrupted; exit 5' INT; test -t 0 && echo terminal; while read word; do echo \"<$word>\"; done; echo end; exit 4";

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Run_interactive_passes_the_input_on_and_its_end(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string[] arguments = ["run", "--rm", "--interactive", "--stage1", flavour, id, "--exec", "/bin/sh", "--", "-c", "cat; echo end; echo bad >&2; exit 6"];
        Outcome outcome = await Programs.RunAsync(Materials.Appc, [.. world.Globals, .. arguments], null, "one\ntwo\n");
        Assert.Equal(new Outcome(6, "one\ntwo\nend\n", "bad\n"), outcome);

        // From a terminal the app has one, of the same size, and is told control-C as a signal.
        using Process caller = Terminal(world, ["run", "--rm", "--interactive", "--stage1", flavour, id, "--exec", "/bin/sh", "--", "-c", "echo $TERM; " + Waits], "stty cols 99 rows 22; TERM=ansi ");
        await ReadUntilAsync(caller, "ansi\r\nterminal\r\n");
        await caller.StandardInput.WriteAsync("word\n");
        await caller.StandardInput.FlushAsync();
        await ReadUntilAsync(caller, "<word>\r\n");
        await caller.StandardInput.WriteAsync('\u0003');
        await caller.StandardInput.FlushAsync();
        await ReadUntilAsync(caller, "interrupted\r\n");
        await caller.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Programs.Patience, TestContext.Current.CancellationToken);
        Assert.Equal(5, caller.ExitCode);
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());
        Assert.Empty(world.Traces());
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Attaching_and_being_killed_change_nothing_for_the_app(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string uuid = await world.MustAsync("run", "--detach", "--stage1", flavour, id, "--stdin", "stream", "--exec", "/bin/sh", "--", "-c", Waits);
        using Process first = Programs.Start(Materials.Appc, [.. world.Globals, "attach", "--from-start", uuid], input: true);
        using Process second = Programs.Start(Materials.Appc, [.. world.Globals, "attach", "--from-start", "--no-stdin", uuid]);
        await first.StandardInput.WriteAsync("one\n");
        await first.StandardInput.FlushAsync();
        await ReadUntilAsync(first, "<one>\n");
        await ReadUntilAsync(second, "<one>\n");
        first.Kill();
        await first.WaitForExitAsync(TestContext.Current.CancellationToken);

        // The end of the input of one who attaches is the app's only if he says so.
        using Process third = Programs.Start(Materials.Appc, [.. world.Globals, "attach", "--stdin", uuid], input: true);
        await third.StandardInput.WriteAsync("two\n");
        third.StandardInput.Close();
        await ReadUntilAsync(third, "<two>\n");
        Assert.Equal("running", (await world.JsonAsync("status", uuid)).GetProperty("state").GetString());
        Outcome last = await Programs.RunAsync(Materials.Appc, [.. world.Globals, "attach", "--close-stdin", uuid], null, "three\n");
        Assert.Equal(0, last.ExitCode);
        Assert.Equal("<three>\nend\n", last.Output);
        Assert.Equal("<two>\nthree", (await second.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Replace("<three>\nend\n", "three", StringComparison.Ordinal));
        Assert.Equal("<three>\nend\n", await third.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        foreach (Process process in (Process[])[second, third])
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, process.ExitCode);
        }

        string plain = await world.MustAsync("run", "--detach", "--stage1", flavour, id, "--exec", "/bin/sleep", "--", "1000");
        Assert.Contains("has no standard input", await world.RefusedAsync("attach", "--stdin", plain), StringComparison.Ordinal);
        await world.MustAsync("stop", "--force", plain);
        await world.MustAsync("rm", uuid, plain);
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task A_terminal_is_left_by_keys_and_waits_for_the_next_one(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();

        // More than the kernel keeps, written while nobody is there who could take it.
        string uuid = await world.MustAsync(
            "run", "--detach", "--stage1", flavour, id, "--stdin", "tty", "--exec", "/bin/sh", "--", "-c", "i=0; while test $i -lt 5000; do echo line $i of many; i=$((i+1)); done; " + Waits);
        using (Process caller = Terminal(world, ["attach", "--from-start", uuid]))
        {
            string lines = await ReadUntilAsync(caller, "terminal\r\n");
            Assert.Equal(5000, lines.Split(" of many\r\n").Length - 1);
            await caller.StandardInput.WriteAsync("one\n\u0010x\n\u0010\u0011");
            await caller.StandardInput.FlushAsync();
            await caller.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Programs.Patience, TestContext.Current.CancellationToken);
            Assert.Equal(0, caller.ExitCode);
        }

        Assert.Equal("running", (await world.JsonAsync("status", uuid)).GetProperty("state").GetString());
        using (Process caller = Terminal(world, ["attach", "--from-start", "--detach-keys", "ctrl-],q", uuid]))
        {
            Assert.Contains("<one>\r\n", await ReadUntilAsync(caller, "<\u0010x>\r\n"), StringComparison.Ordinal);
            await caller.StandardInput.WriteAsync("\u0010\u0011\u0003");
            await caller.StandardInput.FlushAsync();
            await ReadUntilAsync(caller, "interrupted\r\n");
            await caller.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Programs.Patience, TestContext.Current.CancellationToken);
            Assert.Equal(0, caller.ExitCode);
        }

        await world.MustAsync("rm", uuid);
        Assert.Empty(world.Traces());
    }

    [Fact]
    public async Task A_service_that_detaches_hands_the_pod_over_when_it_is_ready()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string path = Path.Combine(world.Home, "notify");
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(path));
        Outcome outcome = await Programs.RunAsync(
            Materials.Appc, [.. world.Globals, "run", "--detach", id, "--exec", "/bin/sleep", "--", "1000"], new Dictionary<string, string> { ["NOTIFY_SOCKET"] = path });
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        byte[] message = new byte[4096];
        int length = await manager.ReceiveAsync(message, TestContext.Current.CancellationToken).AsTask().WaitAsync(Programs.Patience, TestContext.Current.CancellationToken);
        int pid = (await world.JsonAsync("status", outcome.Output.Trim())).GetProperty("pid").GetInt32();
        Assert.Equal($"MAINPID={pid}\nREADY=1", Encoding.UTF8.GetString(message, 0, length));

        string refused = await world.RefusedAsync("run", "--journal", "--register", id);
        Assert.Contains("journal", refused, StringComparison.Ordinal);
        string late = await world.MustAsync("run", "--detach", "--ready-timeout", "2s", id, "--annotation", "appc.io/executor/supports-systemd-notify=true", "--exec", "/bin/sleep", "--", "1000");
        await world.AppcAsync("status", "--wait", late);
        Assert.Equal("exited", (await world.JsonAsync("status", late)).GetProperty("state").GetString());
        await world.MustAsync("stop", outcome.Output.Trim());
        await world.MustAsync("rm", outcome.Output.Trim(), late);
    }

    /// <summary>Starts appc at a terminal.</summary>
    private static Process Terminal(World world, string[] arguments, string before = "")
    {
        string command = string.Join(' ', new[] { Materials.Appc }.Concat(world.Globals).Concat(arguments).Select(a => "'" + a.Replace("'", "'\\''", StringComparison.Ordinal) + "'"));
        return Programs.Start("script", ["--quiet", "--return", "--flush", "--echo", "never", "--command", before + command, "/dev/null"], input: true);
    }

    private static async Task<string> ReadUntilAsync(Process process, string text)
    {
        StringBuilder all = new();
        char[] buffer = new char[4096];
        using var limit = new CancellationTokenSource(Programs.Patience);
        while (!all.ToString().Contains(text, StringComparison.Ordinal))
        {
            int length = await process.StandardOutput.ReadAsync(buffer.AsMemory(), limit.Token);
            Assert.True(length > 0, $"'{text}' did not come: {all}");
            all.Append(buffer, 0, length);
        }

        return all.ToString();
    }
}
