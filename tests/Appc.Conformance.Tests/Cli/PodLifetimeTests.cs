using System.Diagnostics;
using System.Text.Json;

namespace Appc.Conformance.Tests.Cli;

/// <summary>What others see of a pod's life, and what becomes of the pod when the program that started it is killed.</summary>
public sealed class PodLifetimeTests(Materials materials)
{
    private const string Forever = """["/bin/sh", "-c", "echo up; while true; do sleep 1; done"]""";

    [Theory]
    [InlineData("fly", true)]
    [InlineData("fly", false)]
    [InlineData("nspawn", true)]
    [InlineData("nspawn", false)]
    public async Task A_pod_dies_with_the_killed_program_only_if_it_was_asked_to(string stage1, bool dies)
    {
        await using var world = new World(materials);
        string image = await world.StoreAsync(exec: Forever);
        using Process events = world.Start("--format", "json", "events");
        using Killed watcher = new(events);
        await Programs.UntilAsync(() => Directory.Exists(Path.Combine(world.Root, "pods", "locks")), "the subscription");
        using Process appc = world.Start(["run", "--stage1", stage1, "--name", "mine", .. dies ? ["--lifetime", "caller"] : Array.Empty<string>(), image]);
        Assert.Equal("up", await appc.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        JsonElement status = await world.JsonAsync("status", "mine");
        Assert.Equal("running", status.GetProperty("state").GetString());
        string uuid = status.GetProperty("uuid").GetString()!;

        appc.Kill();
        await appc.WaitForExitAsync(TestContext.Current.CancellationToken);

        if (dies)
        {
            // Nobody records how it ended: who would have is dead. What is left is what garbage collection knows.
            await world.MustAsync("status", "--wait=60", "mine");
            Assert.Equal("exited", (await world.JsonAsync("status", "mine")).GetProperty("state").GetString());
            Assert.Equal(["created", "prepared", "started", "ready", "app-ended", "ended"], await KindsAsync(events, "ended"));
        }
        else
        {
            await Task.Delay(300, TestContext.Current.CancellationToken);
            Assert.Equal("running", (await world.JsonAsync("status", "mine")).GetProperty("state").GetString());
            await world.MustAsync("stop", "--force", "mine");
            Assert.Equal("ended", (await KindsAsync(events, "ended"))[^1]);
        }

        JsonElement report = await world.JsonAsync("gc", "--grace-period", "0");
        JsonElement pod = Assert.Single(report.GetProperty("pods").EnumerateArray());
        Assert.Equal(("mine", "removed"), (pod.GetProperty("name").GetString(), pod.GetProperty("action").GetString()));
        Assert.True(report.GetProperty("bytesFreed").GetInt64() > 0);
        if (dies && stage1 == "nspawn")
        {
            Assert.True(report.GetProperty("controlGroups").GetInt32() > 0);
            Assert.Equal(1, report.GetProperty("idRanges").GetInt32());
        }

        watcher.Dispose();
        await events.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Empty(world.Traces(uuid));
        await world.RefusedAsync("status", "mine");
    }

    [Fact]
    public async Task A_guarded_pod_ends_by_itself_and_leaves_no_guard()
    {
        await using var world = new World(materials);
        string image = await world.StoreAsync(exec: """["/bin/sh", "-c", "exit 7"]""");
        foreach (string stage1 in (string[])["fly", "nspawn"])
        {
            Outcome outcome = await world.AppcAsync("run", "--stage1", stage1, "--lifetime", "caller", "--rm", image);
            Assert.Equal(7, outcome.ExitCode);
        }

        // A start that fails, once the guard is there.
        await world.RefusedAsync("run", "--stage1", "fly", "--lifetime", "caller", image, "--exec", "/bin/nothing");
        await Programs.UntilAsync(() => !Directory.EnumerateDirectories("/proc").Any(p => IsGuard(p, Environment.ProcessId)), "the end of the guards");
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());

        static bool IsGuard(string directory, int self)
        {
            try
            {
                return int.TryParse(Path.GetFileName(directory), out int pid) && pid != self
                    && File.ReadAllText(directory + "/cmdline") == "appc\0"
                    && (new FileInfo(directory + "/exe").LinkTarget ?? "").Contains("appc-enter", StringComparison.Ordinal)
                    && File.ReadAllText(directory + "/stat").Split(' ')[3] == "1";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Events_names_labels_and_filters_on_the_command_line()
    {
        await using var world = new World(materials);
        string image = await world.StoreAsync();
        string prepared = await world.MustAsync("prepare", "--stage1", "fly", "--name", "web", "--label", "team=blue", "--label", "tier=front", image, "--name", "main");
        string plain = await world.MustAsync("prepare", "--stage1", "fly", image);
        Assert.Contains("is taken by the pod " + prepared, await world.RefusedAsync("prepare", "--name", "web", image), StringComparison.Ordinal);

        Assert.Equal([prepared], await ListAsync("--label", "team=blue", "--label", "tier", "--app", "main", "--state", "prepared"));
        Assert.Equal([prepared], await ListAsync("--name", "web", "--image", image));
        Assert.Empty(await ListAsync("--label", "team=red"));
        JsonElement status = await world.JsonAsync("status", "web");
        Assert.Equal("front", status.GetProperty("labels").GetProperty("tier").GetString());
        Assert.Contains("web", await world.MustAsync("list"), StringComparison.Ordinal);

        using Process events = world.Start("--format", "json", "events", "--since-snapshot", "web");
        using Killed watcher = new(events);
        Assert.Equal(["created", "prepared"], await KindsAsync(events, "prepared"));
        await world.MustAsync("run-prepared", "web");
        await world.MustAsync("rm", "web");
        Assert.Equal(["started", "ready", "app-ended", "ended", "removed"], await KindsAsync(events, "removed"));
        await events.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, events.ExitCode);
        string told = await world.MustAsync("events", "--no-follow");
        Assert.Equal(2, told.Split('\n').Length);
        Assert.Contains($"{plain} prepared", told, StringComparison.Ordinal);

        async Task<IReadOnlyList<string>> ListAsync(params string[] filter) =>
            [.. (await world.JsonAsync(["list", .. filter])).EnumerateArray().Select(p => p.GetProperty("uuid").GetString()!)];
    }

    /// <summary>The kinds of the events that come, up to one.</summary>
    private static async Task<IReadOnlyList<string>> KindsAsync(Process events, string last)
    {
        List<string> kinds = [];
        do
        {
            string line = await events.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Programs.Patience)
                ?? throw new InvalidOperationException("no more events: " + await events.StandardError.ReadToEndAsync());
            kinds.Add(JsonDocument.Parse(line).RootElement.GetProperty("kind").GetString()!);
        }
        while (kinds[^1] != last);
        return kinds;
    }

    /// <summary>A program that is not left behind, however the test ends.</summary>
    private sealed class Killed(Process process) : IDisposable
    {
        public void Dispose()
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }
}
