using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Samples;

/// <summary>The generic host of <c>samples/host</c> as a process, with real pods.</summary>
public sealed partial class HostSampleTests(Materials materials)
{
    private const string Server = """["/bin/sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"]""";

    [Fact]
    public async Task Pods_run_with_the_host_and_are_stopped_with_it()
    {
        await using var world = new World(materials);
        using var host = new RunningHost(world, await ImageAsync(world, "one", Server), await ImageAsync(world, "two", Server));
        string[] pods = [(await host.SeeAsync(Ready()))[1].Value, (await host.SeeAsync(Ready()))[1].Value];
        Assert.Equal(pods.Order(), await RunningAsync(world));

        await host.TerminateAsync();
        Assert.Equal(0, await host.EndAsync());

        // Each was asked to stop, and did by itself.
        Assert.Equal(pods.Order(), host.All(Ended()).Where(m => m.Groups["code"].Value == "7").Select(m => m.Groups["pod"].Value).Order());
        Assert.DoesNotContain(world.Leftovers(), IsOfPods);
        Assert.Empty(world.Traces(pods));
    }

    [Fact]
    public async Task A_pod_that_fails_is_started_again_where_that_is_asked_for()
    {
        await using var world = new World(materials);
        using var host = new RunningHost(world, "--Pods:0:Restart", "true", "--Pods:0:RestartDelay", "0.05", await ImageAsync(world, "flaky", """["/bin/sh", "-c", "exit 3"]"""));
        string[] pods = [(await host.SeeAsync(Ended()))["pod"].Value, (await host.SeeAsync(Ended()))["pod"].Value];
        Assert.NotEqual(pods[0], pods[1]);

        await host.TerminateAsync();
        Assert.Equal(0, await host.EndAsync());
        Assert.All(host.All(Ended()).Take(2), m => Assert.Equal("3", m.Groups["code"].Value));
        Assert.DoesNotContain(world.Leftovers(), IsOfPods);
    }

    [Fact]
    public async Task A_pod_that_fails_ends_the_host_with_its_exit_code_and_stops_the_others()
    {
        await using var world = new World(materials);
        using var host = new RunningHost(world, await ImageAsync(world, "server", Server), await ImageAsync(world, "once", """["/bin/sh", "-c", "sleep 1; exit 3"]"""));

        Assert.Equal(3, await host.EndAsync());
        Assert.Equal(["3", "7"], host.All(Ended()).Select(m => m.Groups["code"].Value).Order());
        Assert.DoesNotContain(world.Leftovers(), IsOfPods);
    }

    [Fact]
    public async Task An_image_that_cannot_be_had_ends_the_host_with_a_reason()
    {
        await using var world = new World(materials);
        using var host = new RunningHost(world, await ImageAsync(world, "server", Server), world.File_("missing.aci"));

        Assert.Equal(1, await host.EndAsync());
        Assert.Contains("missing.aci", Assert.Single(host.All(Unkept())).Value, StringComparison.Ordinal);
        Assert.DoesNotContain(world.Leftovers(), IsOfPods);
    }

    [Fact]
    public async Task Pods_end_with_a_host_that_is_killed_and_the_next_one_clears_up()
    {
        await using var world = new World(materials);
        string image = await ImageAsync(world, "server", Server);
        using var killed = new RunningHost(world, image);
        string first = (await killed.SeeAsync(Ready()))[1].Value;
        killed.Kill();
        await killed.EndAsync();

        using var next = new RunningHost(world, image);
        string second = (await next.SeeAsync(Ready()))[1].Value;
        Assert.Equal(first, (await next.FindAsync(Removed()))[1].Value);
        Assert.Equal([second], await RunningAsync(world));
        Assert.DoesNotContain(world.Traces(first), t => t.Contains(first, StringComparison.Ordinal));

        await next.TerminateAsync();
        Assert.Equal(0, await next.EndAsync());
        Assert.DoesNotContain(world.Leftovers(), IsOfPods);
    }

    private static async Task<string> ImageAsync(World world, string name, string exec) =>
        await world.BuildAsync("example.com/" + name, key: null, exec: exec);

    private static async Task<string[]> RunningAsync(World world) =>
        [.. (await world.JsonAsync("list")).EnumerateArray().Where(p => p.GetProperty("state").GetString() == "running").Select(p => p.GetProperty("uuid").GetString()!).Order()];

    private static bool IsOfPods(string path) => path.Contains("/pods/", StringComparison.Ordinal);

    [GeneratedRegex("Pod ([0-9a-f-]{36}) is ready")]
    private static partial Regex Ready();

    [GeneratedRegex("Pod (?<pod>[0-9a-f-]{36}) has ended with (?<code>[0-9]+)")]
    private static partial Regex Ended();

    [GeneratedRegex("Removed pod ([0-9a-f-]{36})")]
    private static partial Regex Removed();

    [GeneratedRegex("A pod of .* cannot be kept: .*")]
    private static partial Regex Unkept();

    /// <summary>The process, and what it logs.</summary>
    private sealed class RunningHost : IDisposable
    {
        private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

        private readonly Process _process;
        private readonly ConcurrentQueue<string> _lines = new();
        private readonly SemaphoreSlim _arrived = new(0);
        private readonly List<string> _seen = [];
        private readonly Task<string> _error;
        private readonly Task _reading;

        /// <param name="world">Where its data lie.</param>
        /// <param name="arguments">Images, which are paths, and options.</param>
        public RunningHost(World world, params string[] arguments)
        {
            List<string> all = ["--Appc:Root", world.Root, "--Insecure", "true"];
            int pods = 0;
            foreach (string argument in arguments)
            {
                all.AddRange(argument.StartsWith('/') ? ["--Pods:" + pods++ + ":Image", argument] : (string[])[argument]);
            }

            _process = Programs.Start(Path.Combine(AppContext.BaseDirectory, "host", "pod-host"), all);
            _error = _process.StandardError.ReadToEndAsync();
            _reading = ReadAsync();
        }

        /// <summary>Waits for the next line that matches.</summary>
        public async Task<GroupCollection> SeeAsync(Regex wanted)
        {
            while (true)
            {
                Assert.True(await _arrived.WaitAsync(s_patience), $"no '{wanted}' among\n{string.Join('\n', _seen)}");
                Assert.True(_lines.TryDequeue(out string? line) && line.Length > 0, $"the host has ended without '{wanted}':\n{string.Join('\n', _seen)}\n{(_error.IsCompleted ? await _error : "")}");
                _seen.Add(line!);
                if (wanted.Match(line!) is { Success: true } match)
                {
                    return match.Groups;
                }
            }
        }

        /// <summary>The first line that matches, also one that has been passed over.</summary>
        public async Task<GroupCollection> FindAsync(Regex wanted) =>
            _seen.Select(l => wanted.Match(l)).FirstOrDefault(m => m.Success)?.Groups ?? await SeeAsync(wanted);

        /// <summary>All lines that match, once it has ended.</summary>
        public IEnumerable<Match> All(Regex wanted) => _seen.Concat(_lines).Select(l => wanted.Match(l)).Where(m => m.Success);

        public Task<string> TerminateAsync() => Programs.MustAsync("kill", "-TERM", _process.Id.ToString(CultureInfo.InvariantCulture));

        public void Kill() => _process.Kill();

        public async Task<int> EndAsync()
        {
            using CancellationTokenSource limit = new(s_patience);
            await _process.WaitForExitAsync(limit.Token);
            await _reading;
            return _process.ExitCode;
        }

        public void Dispose()
        {
            if (!_process.HasExited)
            {
                _process.Kill();
            }

            _process.Dispose();
            _arrived.Dispose();
        }

        private async Task ReadAsync()
        {
            while (await _process.StandardOutput.ReadLineAsync() is { } line)
            {
                if (line.Length > 0)
                {
                    _lines.Enqueue(line);
                    _arrived.Release();
                }
            }

            _lines.Enqueue("");
            _arrived.Release();
        }
    }
}
