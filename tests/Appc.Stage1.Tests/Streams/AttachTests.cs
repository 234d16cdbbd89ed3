using System.Globalization;
using System.Text;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Nspawn;

namespace Appc.Stage1.Streams;

public sealed class AttachTests(NspawnFixture fixture) : IAsyncLifetime
{
    private readonly AttachPods _pods = new(fixture);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _pods.DisposeAsync();

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task A_stream_is_shared_by_all_who_attach_and_ends_when_one_says_so(string flavour)
    {
        Pod pod = await _pods.RunAsync(flavour, await _pods.AppAsync(AppInput.Stream, "ls /proc/self/fd; echo ready >&2; cat /dev/stdin; echo end; exit 3", "1234"));

        await using PodAttachment early = await pod.AttachAsync("main", new AttachOptions { FromStart = true, Input = true });
        Assert.Equal(AppInput.Stream, early.InputKind);
        await AttachPods.ReadUntilAsync(early.Error!, "ready");

        // Whoever comes later gets what is written from then on, and his letting go is no end.
        PodAttachment guest = await pod.AttachAsync();
        await AttachPods.TypeAsync(guest, "one\n");
        Assert.Equal("one\n", await AttachPods.ReadUntilAsync(guest.Output, "one\n"));
        await guest.DisposeAsync();
        await guest.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => guest.Completion);

        byte[] much = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7))];
        await using PodAttachment late = await pod.AttachAsync();
        await late.Input!.WriteAsync(much);
        await early.CloseInputAsync();
        await early.CloseInputAsync();
        Assert.False(late.Completion.IsCompleted);
        await late.Input.DisposeAsync();

        byte[] expected = [.. much, .. Encoding.UTF8.GetBytes("end\n")];
        Assert.Equal(expected, await AttachPods.ReadToEndAsync(late.Output));
        Assert.Equal("", await AttachPods.ReadTextAsync(late.Error!));
        Assert.Equal(3, (await late.Completion).ExitCode);
        string held = flavour == "fly" ? "98\n99\n" : "";
        byte[] all = await AttachPods.ReadToEndAsync(early.Output);
        expected = [.. Encoding.UTF8.GetBytes($"0\n1\n2\n3\n{held}one\n"), .. expected];
        Assert.Equal(expected, all);
        Assert.Equal(3, (await pod.WaitAsync()).ExitCode);

        await using PodAttachment after = await pod.AttachAsync(null, new AttachOptions { FromStart = true });
        Assert.Null(after.Input);
        Assert.Equal(all, await AttachPods.ReadToEndAsync(after.Output));
        PodException e = await Assert.ThrowsAsync<PodException>(() => pod.AttachAsync(null, new AttachOptions { Input = true }));
        Assert.Contains("has ended", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_input_stays_open_where_nobody_is_attached_in_a_pod_that_records_its_own_end()
    {
        AppSpec app = await _pods.AppAsync(AppInput.Stream, "echo ready; read line; echo \"got $line\"; exit 6");
        Pod pod = await _pods.RunAsync(new PodSpec(app) { Stage1 = "fly", Options = new Stage1Options { RecordsOwnEnd = true } });

        await using (PodAttachment first = await pod.AttachAsync(null, new AttachOptions { FromStart = true }))
        {
            await AttachPods.ReadUntilAsync(first.Output, "ready");
        }

        await using PodAttachment second = await pod.AttachAsync();
        await AttachPods.TypeAsync(second, "it\n");
        Assert.Equal("got it\n", await AttachPods.ReadTextAsync(second.Output));
        Assert.Equal(6, (await pod.WaitAsync()).ExitCode);
    }

    [Theory]
    [InlineData(AppInput.Stream)]
    [InlineData(AppInput.Terminal)]
    public async Task An_app_of_a_mutable_pod_is_attached_to_also_when_it_was_started_again(AppInput input)
    {
        Pod pod = await _pods.RunAsync(new PodSpec(await _pods.AppAsync(input, "echo ready; while read line; do echo \"got $line\"; done")) { Stage1 = "nspawn", Mutable = true });
        foreach (string word in (string[])["one", "two"])
        {
            await using (PodAttachment attachment = await pod.AttachAsync(null, new AttachOptions { Input = true }))
            {
                await AttachPods.TypeAsync(attachment, word + "\n");
                await AttachPods.ReadUntilAsync(attachment.Output, "got " + word);
            }

            await pod.StopAppAsync("main", TimeSpan.Zero);
            PodException e = await Assert.ThrowsAsync<PodException>(() => pod.AttachAsync(null, new AttachOptions { Input = true }));
            Assert.Contains("has ended", e.Message, StringComparison.Ordinal);
            await pod.StartAppAsync("main");
        }
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task A_terminal_is_the_controlling_one_with_a_name_a_size_and_keys(string flavour)
    {
        const string Script = """
            trap 'echo interrupted; exit 5' INT
            test -t 0 && test -t 1 && test -t 2 && echo terminal $TERM; ls -1 /proc/self/fd; readlink /proc/self/fd/0; stat -c %u $(readlink /proc/self/fd/0); stty size
            echo typed > /dev/tty
            read line; echo "got $line"; stty size
            echo last; while :; do sleep 0.05; done
            """;
        Pod pod = await _pods.RunAsync(flavour, await _pods.AppAsync(AppInput.Terminal, Script, "1234"));
        await using PodAttachment all = await pod.AttachAsync(null, new AttachOptions { FromStart = true, Input = false });
        Assert.Null(all.Input);
        Assert.Null(all.Error);
        await using PodAttachment mine = await pod.AttachAsync(null, new AttachOptions { Input = true, FromStart = true });
        string begin = await AttachPods.ReadUntilAsync(mine.Output, "typed\r\n");
        string held = flavour == "fly" ? "98\r\n99\r\n" : "";
        Assert.Equal($"terminal xterm\r\n0\r\n1\r\n2\r\n3\r\n{held}/dev/pts/0\r\n1234\r\n24 80\r\ntyped\r\n", begin);

        await mine.ResizeAsync(new TerminalSize(71, 19));
        await using PodAttachment other = await pod.AttachAsync();
        await AttachPods.TypeAsync(other, "hello\n");
        await AttachPods.ReadUntilAsync(mine.Output, "got hello\r\n19 71\r\nlast");
        PodException e = await Assert.ThrowsAsync<PodException>(() => mine.CloseInputAsync());
        Assert.Contains("control-D", e.Hint, StringComparison.Ordinal);

        // Attaching with a size sets it.
        await using PodAttachment wide = await pod.AttachAsync(null, new AttachOptions { Size = new TerminalSize(132, 50) });
        await AttachPods.TypeAsync(mine, "\u0003");
        Assert.EndsWith("interrupted\r\n", await AttachPods.ReadTextAsync(wide.Output), StringComparison.Ordinal);
        Assert.Equal(5, (await mine.Completion).ExitCode);
        Assert.EndsWith("interrupted\r\n", await AttachPods.ReadTextAsync(mine.Output), StringComparison.Ordinal);
        string seen = await AttachPods.ReadTextAsync(all.Output);
        Assert.StartsWith(begin, seen, StringComparison.Ordinal);
        Assert.Equal(seen, await pod.ReadOutputAsync());
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task What_is_written_to_a_terminal_is_logged_with_nobody_attached(string flavour)
    {
        Pod pod = await _pods.RunAsync(flavour, await _pods.AppAsync(AppInput.Terminal, "stty raw; dd if=/dev/zero bs=1000 count=300 2>/dev/null | tr '\\0' x; printf last"));
        Assert.Equal(0, (await pod.WaitAsync().WaitAsync(AttachPods.Limit)).ExitCode);

        // Since version 262 systemd-nspawn ends a last line that an app has left open.
        bool ended = flavour == "nspawn" && int.Parse(await File.ReadAllTextAsync(Path.Combine(fixture.Tree, Stage1TreeFiles.SystemdVersion)), CultureInfo.InvariantCulture) >= 262;
        Assert.Equal(new string('x', 300_000) + "last" + (ended ? "\n" : ""), await pod.ReadOutputAsync());

        // An end at once, with the attachment still to come, loses nothing.
        Pod brief = await _pods.RunAsync(flavour, await _pods.AppAsync(AppInput.Terminal, "echo brief"));
        await using PodAttachment attachment = await brief.AttachAsync(null, new AttachOptions { FromStart = true });
        Assert.Equal("brief\r\n", await AttachPods.ReadTextAsync(attachment.Output));
        Assert.Equal(0, (await attachment.Completion).ExitCode);
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task An_app_without_an_input_can_be_listened_to(string flavour)
    {
        Pod pod = await _pods.RunAsync(flavour, await _pods.AppAsync(null, "cat; echo ready; while ! test -e /tmp/go; do sleep 0.02; done; echo more; echo bad >&2"));
        PodException e = await Assert.ThrowsAsync<PodException>(() => pod.AttachAsync(null, new AttachOptions { Input = true }));
        Assert.Equal(PodFailure.WrongState, e.Failure);
        Assert.Contains("the app main", e.Message, StringComparison.Ordinal);
        Assert.Contains("AppSpec.Input", e.Hint, StringComparison.Ordinal);
        await Assert.ThrowsAsync<PodException>(() => pod.AttachAsync("other"));

        await using (PodAttachment first = await pod.AttachAsync(null, new AttachOptions { FromStart = true }))
        {
            await AttachPods.ReadUntilAsync(first.Output, "ready");
            Assert.Null(first.Input);
            await Assert.ThrowsAsync<PodException>(() => first.CloseInputAsync());
        }

        await using PodAttachment attachment = await pod.AttachAsync();
        await using (PodExec exec = await pod.ExecAsync(null, ["touch", "/tmp/go"]))
        {
            await exec.WaitAsync();
        }

        Assert.Equal("more\n", await AttachPods.ReadTextAsync(attachment.Output));
        Assert.Equal("bad\n", await AttachPods.ReadTextAsync(attachment.Error!));
        Assert.True((await attachment.Completion).Succeeded);
    }

    [Fact]
    public async Task Each_app_of_a_pod_has_its_own_input_and_ends_by_itself()
    {
        AppSpec cat = await _pods.AppAsync(AppInput.Stream, "cat; echo end");
        AppSpec words = await _pods.AppAsync(AppInput.Stream, "while read word; do echo \"<$word>\"; done; echo end");
        AppSpec shell = await _pods.AppAsync(AppInput.Terminal, "read line; echo $line; exit 0");
        (cat.Name, words.Name, shell.Name) = ("cat", "words", "shell");
        Pod pod = await _pods.RunAsync("nspawn", cat, words, shell);
        await using PodAttachment first = await pod.AttachAsync("cat");
        await using PodAttachment second = await pod.AttachAsync("words");
        await using PodAttachment third = await pod.AttachAsync("shell");
        await Assert.ThrowsAsync<PodException>(() => pod.AttachAsync());
        await AttachPods.TypeAsync(first, "a b\n");
        await AttachPods.TypeAsync(second, "c d\n");
        await AttachPods.ReadUntilAsync(second.Output, "<c d>");
        await AttachPods.TypeAsync(third, "typed\n");
        Assert.Equal("typed\r\ntyped\r\n", await AttachPods.ReadTextAsync(third.Output));
        await first.CloseInputAsync();
        Assert.Equal("a b\nend\n", await AttachPods.ReadTextAsync(first.Output));
        AppStatus status = await first.Completion;
        Assert.True(status.Succeeded, status + string.Join(' ', (await pod.GetStatusAsync()).Apps));
        Assert.Equal(PodState.Running, (await pod.GetStatusAsync()).State);
        Assert.False(second.Completion.IsCompleted);
        await second.CloseInputAsync();
        Assert.Equal("end\n", (await AttachPods.ReadTextAsync(second.Output)).TrimStart('\n'));
        Assert.Equal(0, (await pod.WaitAsync()).ExitCode);
    }

    [Fact]
    public async Task What_cannot_have_an_input_is_refused_before_anything_is_written()
    {
        AppSpec one = await _pods.AppAsync(AppInput.Terminal, "true");
        AppSpec two = await _pods.AppAsync(null, "true");
        two.Name = "two";
        two.Annotations.Add(new Annotation(AcIdentifier.Parse(Stage1App.InputAnnotation), "terminal"));
        PodException e = await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.PrepareAsync(new PodSpec { Stage1 = "nspawn", Apps = { one, two } }));
        Assert.Contains("only one app of a pod can have a terminal", e.Message, StringComparison.Ordinal);
        two.Annotations[0] = two.Annotations[0] with { Value = "keyboard" };
        e = await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.PrepareAsync(new PodSpec { Stage1 = "nspawn", Apps = { two } }));
        Assert.Contains("neither stream, terminal nor none", e.Message, StringComparison.Ordinal);

        await using Pod prepared = await _pods.Runtime.PrepareAsync(new PodSpec(one) { Stage1 = "nspawn" });
        Assert.Equal("terminal", (await prepared.GetManifestAsync()).Apps[0].Annotations.Single(a => a.Name.ToString() == Stage1App.InputAnnotation).Value);
        e = await Assert.ThrowsAsync<PodException>(() => prepared.AttachAsync());
        Assert.Equal(PodFailure.WrongState, e.Failure);
        await prepared.RemoveAsync();
    }
}
