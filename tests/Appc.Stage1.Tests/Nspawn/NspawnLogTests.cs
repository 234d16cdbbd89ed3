using System.Security.Cryptography;
using System.Text;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Nspawn;

/// <summary>Logs under both flavours: bounded, followed, read from the end and from a cursor.</summary>
public sealed class NspawnLogTests(NspawnFixture fixture) : IAsyncDisposable
{
    private const long Limit = 1024 * 1024;

    private readonly ServicePods _pods = new(fixture);

    public ValueTask DisposeAsync() => _pods.DisposeAsync();

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task A_bound_is_held_and_who_follows_misses_nothing(string flavour)
    {
        // 200 KB at a time, 6 MB in all: more than the limit and what may come in two seconds.
        const string Script = "i=100; while [ $i -lt 130 ]; do busybox seq ${i}00000 ${i}25000; sleep 0.3; i=$((i+1)); done; echo end; exec sleep 1000";
        Pod pod = await StartAsync(flavour, Script, new Stage1Options { LogLimit = Limit });
        using MemoryStream followed = new();
        LogCursor cursor = new();
        Task<LogCursor> following = pod.CopyLogsAsync(new LogOptions { Follow = true, Cursor = cursor }, followed, null);
        string path = LogOf(pod);
        await EventuallyAsync(() => EndsWith(path, "\nend\n") && Kept(path) <= Limit + SparseFile.Unit);
        Assert.InRange(Kept(path), Limit, Limit + SparseFile.Unit);
        await pod.StopAsync(TimeSpan.Zero);
        await following.WaitAsync(ServicePods.Limit);
        StringBuilder expected = new();
        for (int i = 100; i < 130; i++)
        {
            for (int n = i * 100000; n <= (i * 100000) + 25000; n++)
            {
                expected.Append(n).Append('\n');
            }
        }

        expected.Append("end\n");
        Assert.Equal(0, cursor.Skipped);
        Assert.True(expected.ToString() == Encoding.ASCII.GetString(followed.ToArray()), "what was followed is not what was written");

        // Later only the rest is there, from a whole line on, and what is not is counted.
        using MemoryStream rest = new();
        LogCursor late = await pod.CopyLogsAsync(new LogOptions(), rest, null);
        string text = Encoding.ASCII.GetString(rest.ToArray());
        Assert.EndsWith("\n" + text, "\n" + expected, StringComparison.Ordinal);
        Assert.Equal(expected.Length, late.Skipped + text.Length);
        Assert.InRange(text.Length, Limit - 100, Limit + SparseFile.Unit);
    }

    [Fact]
    public async Task Bytes_arrive_as_they_are_and_a_cursor_goes_on_elsewhere()
    {
        Pod pod = await StartAsync(
            "nspawn",
            "busybox cat /bin/busybox; echo; echo one; echo two; echo error 1>&2; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo three; busybox printf four; exec sleep 1000",
            new Stage1Options());
        byte[] program = await File.ReadAllBytesAsync("/usr/bin/busybox");
        string path = LogOf(pod);
        await EventuallyAsync(() => Length(path) == program.Length + 9);

        // A target that breaks in the middle: what it took stays taken.
        LogCursor cursor = new();
        using BreakingStream first = new(program.Length / 2);
        await Assert.ThrowsAsync<IOException>(() => pod.CopyLogsAsync(new LogOptions { Cursor = cursor }, first, null));
        using MemoryStream second = new();
        await pod.CopyLogsAsync(new LogOptions { Cursor = cursor }, second, null);
        Assert.Equal([.. program, .. "\none\ntwo\n"u8], [.. first.Taken, .. second.ToArray()]);

        string saved = cursor.ToString();
        Assert.Equal($"service.out={program.Length + 9}", saved);
        await using PodRuntime other = _pods.NewRuntime();
        Pod again = await other.OpenAsync(pod.Uuid);
        using MemoryStream third = new();
        using MemoryStream errors = new();
        Task<LogCursor> following = again.CopyLogsAsync(new LogOptions { Follow = true, Cursor = LogCursor.Parse(saved) }, third, errors);
        await (await pod.ExecAsync(null, ["/bin/touch", "/tmp/go"])).WaitAsync();
        await EventuallyAsync(() => Length(path) == program.Length + 19);
        Assert.Equal("two\nthree\nfour", await TailAsync(3));
        Assert.Equal("four", await TailAsync(1));
        Assert.Equal("", await TailAsync(0));
        Assert.Equal(program.Length + 19, (await TailAsync(int.MaxValue)).Length);
        await again.StopAsync(TimeSpan.Zero);
        Assert.Equal(
            [new LogPosition("service", LogStream.Error, 6), new LogPosition("service", LogStream.Output, program.Length + 19)],
            (await following.WaitAsync(ServicePods.Limit)).Positions);
        Assert.Equal("three\nfour", Encoding.ASCII.GetString(third.ToArray()));
        Assert.Equal("error\n", Encoding.ASCII.GetString(errors.ToArray()));
        Assert.False(LogCursor.TryParse("service.log=4", out _));

        async Task<string> TailAsync(int lines)
        {
            using MemoryStream tail = new();
            await pod.CopyLogsAsync(new LogOptions { Tail = lines }, tail, null);
            return Encoding.Latin1.GetString(tail.ToArray());
        }
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task What_was_written_since_a_time_is_read_with_little_before_it(string flavour)
    {
        const string Script = "i=0; echo error 1>&2; while :; do i=$((i+1)); echo line $i; sleep 0.1; done";
        Pod pod = await StartAsync(flavour, Script, new Stage1Options { LogTimes = true });
        string times = Path.Combine(Path.GetDirectoryName(LogOf(pod))!, ".times");
        await EventuallyAsync(() => File.Exists(times) && File.ReadAllLines(times).Length >= 4);
        string[] before = (await pod.ReadOutputAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        await EventuallyAsync(() => File.ReadAllLines(times).Length >= 6);
        await pod.StopAsync(TimeSpan.Zero);
        string[] all = (await pod.ReadOutputAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        using MemoryStream since = new();
        using MemoryStream errors = new();
        LogCursor cursor = await pod.CopyLogsAsync(new LogOptions { Since = now }, since, errors);
        string[] lines = Encoding.ASCII.GetString(since.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(all.TakeLast(lines.Length), lines);
        Assert.InRange(lines.Length, all.Length - before.Length, all.Length - 10);
        Assert.Empty(errors.ToArray());
        Assert.Equal(LogOf(pod).Length > 0 ? new FileInfo(LogOf(pod)).Length : 0, cursor.Positions.Single(p => p.Stream == LogStream.Output).Offset);
        Assert.Equal("", await SinceAsync(DateTimeOffset.UtcNow.AddSeconds(5), null));
        Assert.Equal(all.Length, (await SinceAsync(now.AddDays(-1), null)).Count(c => c == '\n'));
        Assert.Equal(all[^1] + "\n", await SinceAsync(now.AddDays(-1), 1));

        async Task<string> SinceAsync(DateTimeOffset time, int? tail)
        {
            using MemoryStream target = new();
            await pod.CopyLogsAsync(new LogOptions { Since = time, Tail = tail }, target, null);
            return Encoding.ASCII.GetString(target.ToArray());
        }
    }

    [Fact]
    public async Task Notes_of_times_that_grow_too_many_get_coarser_and_those_of_a_stranger_lead_nowhere()
    {
        string directory = Directory.CreateDirectory(Path.Combine(_pods.Scratch, "times/logs")).Parent!.FullName;
        string log = Path.Combine(directory, "logs/main.out");
        string times = Path.Combine(directory, "logs/.times");
        for (int i = 1; i <= 5000; i++)
        {
            await File.AppendAllTextAsync(log, $"{i}\n");
            PodLogTimes.Note(directory);
        }

        long length = new FileInfo(log).Length;
        Assert.InRange(new FileInfo(times).Length, 50 * 1024, 140 * 1024);
        Assert.StartsWith($"main.out {length} ", (await File.ReadAllLinesAsync(times))[^1], StringComparison.Ordinal);
        PodLogTimes.Note(directory);
        Assert.Single(await File.ReadAllLinesAsync(times), l => l.StartsWith($"main.out {length} ", StringComparison.Ordinal));

        DateTimeOffset later = DateTimeOffset.UtcNow.AddHours(1);
        File.SetLastWriteTimeUtc(log, later.AddHours(1).UtcDateTime);
        foreach (string text in (string[])["main.out 99999999 1", "main.out -1 1\nmain.out", "\0\0\0", "main.out x y\nmain.out 4 z"])
        {
            await File.WriteAllTextAsync(times, text);
            Assert.Equal(0, await FindAsync());
        }

        await File.WriteAllTextAsync(times, $"main.err 8 1 main.out 5 1\nmain.out 7 {later.ToUnixTimeSeconds()}\n");
        Assert.Equal(4, await FindAsync());
        File.Delete(times);
        File.CreateSymbolicLink(times, "main.out");
        Assert.Equal(0, await FindAsync());
        PodLogTimes.Note(directory);
        Assert.Equal(length, new FileInfo(log).Length);

        async Task<long> FindAsync()
        {
            using SafeFileHandle file = File.OpenHandle(log, options: FileOptions.Asynchronous);
            return await PodLogTimes.FindAsync(file, "main.out", directory, later, new byte[4096], CancellationToken.None);
        }
    }

    [Fact]
    public async Task Where_the_head_is_freed_while_it_is_read_no_byte_is_another_one()
    {
        string directory = Directory.CreateDirectory(Path.Combine(_pods.Scratch, "race/logs")).Parent!.FullName;
        string path = Path.Combine(directory, "logs/main.out");
        PodManifest manifest = new() { Apps = [new RuntimeApp { Name = AcName.Parse("main") }] };
        using FileStream writer = new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        using PodLogCopier copier = new(manifest, Stream.Null, null, new LogOptions());
        using MemoryStream target = new();
        using PodLogCopier checkedCopier = new(manifest, target, null, new LogOptions());
        Task freeing = Task.CompletedTask;
        long written = 0;
        for (int round = 0; round < 300; round++)
        {
            byte[] line = [.. RandomNumberGenerator.GetBytes(20000).Select(b => (byte)(b | 0x80)), (byte)'\n'];
            for (int i = 0; i < 8; i++)
            {
                await writer.WriteAsync(line);
                written += line.Length;
            }

            await writer.FlushAsync();
            freeing = Task.Run(() => SparseFile.KeepLast(path, SparseFile.Unit));
            await checkedCopier.CopyNewAsync(directory, CancellationToken.None);
            await freeing;
        }

        await copier.CopyNewAsync(directory, CancellationToken.None);
        byte[] copied = target.ToArray();
        Assert.DoesNotContain((byte)0, copied);
        Assert.Equal(written, copied.Length + checkedCopier.Cursor.Skipped);
        Assert.True(copier.Cursor.Skipped >= written - (2 * SparseFile.Unit) - 20001, $"{copier.Cursor.Skipped} of {written} were freed");
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task A_log_that_was_made_long_without_writing_keeps_no_reader_busy(string flavour)
    {
        // Two terabytes, of which nothing is on disk.
        const string Script = "echo first; busybox truncate -s 1000G /proc/self/fd/1; echo middle; busybox truncate -s 2000G /proc/self/fd/1; echo cut off; echo last; exec sleep 1000";
        Pod pod = await StartAsync(flavour, Script, new Stage1Options());
        await EventuallyAsync(() => EndsWith(LogOf(pod), "last\n"));
        foreach (LogOptions options in (LogOptions[])[new() { Tail = 5 }, new() { Tail = 5, Since = DateTimeOffset.UtcNow.AddHours(-1) }, new()])
        {
            using MemoryStream target = new();
            await pod.CopyLogsAsync(options, target, null).WaitAsync(TimeSpan.FromSeconds(20));
            string text = Encoding.ASCII.GetString(target.ToArray());
            Assert.True(text.Length < 64 * 1024, $"{text.Length} characters");
            Assert.EndsWith("last\n", "\n" + text, StringComparison.Ordinal);
        }

        await pod.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task Policies_and_limits_that_make_no_sense_are_refused_and_a_prepared_pod_keeps_its_own()
    {
        AppSpec app = await _pods.AppAsync("serve");
        app.Restart = new RestartPolicy { Mode = RestartMode.Always, Delay = TimeSpan.FromSeconds(2), MaxDelay = TimeSpan.FromSeconds(1) };
        PodException refused = await Assert.ThrowsAsync<PodException>(
            () => _pods.Runtime.PrepareAsync(new PodSpec(app) { Options = new Stage1Options { LogLimit = 1 } }));
        Assert.Contains("longest delay", refused.Message, StringComparison.Ordinal);
        Assert.Contains("less than 65536", refused.Message, StringComparison.Ordinal);
        app.Restart = RestartPolicy.Parse("on-failure:3,delay=0.5,window=60");
        refused = await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.PrepareAsync(new PodSpec(app) { Stage1 = "fly" }));
        Assert.Contains("fly does not start", refused.Message, StringComparison.Ordinal);
        Pod pod = await _pods.Runtime.PrepareAsync(new PodSpec(app));
        RuntimeApp runtime = (await pod.GetManifestAsync()).Apps[0];
        Assert.Equal(app.Restart, RestartAnnotations.Find(runtime));
        Assert.Equal("on-failure,delay=0.5,max-delay=60,restarts=3,window=60", app.Restart.ToString());
        await pod.RemoveAsync();
    }

    [Fact]
    public async Task The_status_tells_of_an_app_that_is_started_again()
    {
        AppSpec app = await ShellAsync("[ -e /tmp/go ] && exec sleep 1000; touch /tmp/go; exit 6");
        app.Restart = new RestartPolicy { Delay = TimeSpan.FromSeconds(2) };
        Pod pod = await _pods.RunAsync(new PodSpec(app));
        AppStatus status = await WaitForAsync(AppState.Restarting);
        Assert.Equal((0, 6, null, null), (status.RestartCount, status.LastExitCode, status.ExitCode, status.Finished));
        status = await WaitForAsync(AppState.Running);
        Assert.Equal((1, 6, null), (status.RestartCount, status.LastExitCode, status.ExitCode));
        Assert.True(status.Started > (await pod.GetStatusAsync()).Started);
        PodStatus end = await pod.StopAsync(TimeSpan.Zero);
        Assert.Equal((AppState.Exited, "SIGKILL", 1), (end.Apps[0].State, end.Apps[0].Signal, end.Apps[0].RestartCount));

        async Task<AppStatus> WaitForAsync(AppState state)
        {
            using CancellationTokenSource limit = new(ServicePods.Limit);
            while (true)
            {
                AppStatus now = (await pod.GetStatusAsync(limit.Token)).Apps[0];
                if (now.State == state && now.LastExitCode is not null)
                {
                    return now;
                }

                await Task.Delay(10, limit.Token);
            }
        }
    }

    private static long Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private static bool EndsWith(string path, string text)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] end = new byte[text.Length];
        long length = RandomAccess.GetLength(file);
        return length >= end.Length && RandomAccess.Read(file, end, length - end.Length) == end.Length && Encoding.ASCII.GetString(end) == text;
    }

    private static long Kept(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return RandomAccess.GetLength(file) - SparseFile.NextData(file, 0);
    }

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        using CancellationTokenSource limit = new(ServicePods.Limit);
        while (!condition())
        {
            await Task.Delay(50, limit.Token);
        }
    }

    private string LogOf(Pod pod) => Path.Combine(_pods.Root, "pods/run", pod.Uuid, "logs/service.out");

    private async Task<AppSpec> ShellAsync(string script)
    {
        AppSpec app = await _pods.AppAsync("serve");
        app.Exec = "/bin/sh";
        app.AnnouncesReadiness = false;
        app.Arguments.Add("-c");
        app.Arguments.Add(script);
        return app;
    }

    private async Task<Pod> StartAsync(string flavour, string script, Stage1Options options) =>
        await _pods.RunAsync(new PodSpec(await ShellAsync(script)) { Stage1 = flavour, Options = options });

    /// <summary>Takes so many bytes, and no more.</summary>
    private sealed class BreakingStream(long most) : MemoryStream
    {
        public byte[] Taken => ToArray();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Length + buffer.Length > most ? throw new IOException("full") : base.WriteAsync(buffer, cancellationToken);
    }
}
