using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Appc.Conformance.Tests.Cli;

/// <summary>One of a pod's processes is killed at a random moment, in every round another; what is told is true, and nothing is left.</summary>
public sealed partial class PodFaultTests(Materials materials, ITestOutputHelper output)
{
    private const string Script = "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done";

    private static readonly string[] Victims = ["host", "nspawn", "systemd", "app", "pod"];

    [Fact]
    public async Task Whoever_is_killed_the_state_is_true_and_nothing_is_left()
    {
        // APPC_FAULT_ROUNDS=200 is the long form; APPC_FAULT_SEED repeats a run's moments, as far as the machine lets it.
        int rounds = int.Parse(Environment.GetEnvironmentVariable("APPC_FAULT_ROUNDS") ?? "15", CultureInfo.InvariantCulture);
        int seed = int.Parse(Environment.GetEnvironmentVariable("APPC_FAULT_SEED") ?? Environment.ProcessId.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        await world.MustAsync("run", "--rm", id);
        var clock = Stopwatch.StartNew();
        await world.MustAsync("run", "--rm", id);
        TimeSpan whole = clock.Elapsed;
        var uuids = new HashSet<string>();
        var ends = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (int round = 0; round < rounds; round++)
        {
            string victim = Victims[round % Victims.Length];
            string what = $"seed {seed}, round {round}, {victim}";
            using Process appc = world.Start("run", id, "--exec", "/bin/sh", "--", "-c", Script);
            Task<string> drained = appc.StandardError.ReadToEndAsync();
            if (victim == "host")
            {
                await Task.Delay(whole * 2.5 * random.NextDouble(), TestContext.Current.CancellationToken);
            }
            else
            {
                // From the first moment on which it is there.
                await Programs.UntilAsync(() => appc.HasExited || Find(appc, victim) is not [], what);
                if (Find(appc, "nspawn") is [var first])
                {
                    uuids.UnionWith(Named().Matches(GroupOf(first)).Select(m => m.Groups[1].Value));
                }

                await Task.Delay(random.Next(3) == 0 ? 0 : random.Next(700), TestContext.Current.CancellationToken);
            }

            await Programs.UntilAsync(() => appc.HasExited || Strike(appc, victim), what);
            await WaitAsync(appc, victim, what);
            await drained;
            JsonElement pods = await world.JsonAsync("list");
            if (pods.GetArrayLength() == 0)
            {
                ends[victim + ": never started"] = ends.GetValueOrDefault(victim + ": never started") + 1;
            }

            foreach (JsonElement pod in pods.EnumerateArray())
            {
                string uuid = pod.GetProperty("uuid").GetString()!;
                string state = pod.GetProperty("state").GetString()!;
                uuids.Add(uuid);
                ends[$"{victim}: {state}"] = ends.GetValueOrDefault($"{victim}: {state}") + 1;
                if (victim != "host")
                {
                    // The host program was there to see the end through.
                    Assert.True(state is "exited" or "aborted-prepare", $"{what}: {state}");
                    Assert.True(Members(uuid).Count == 0, $"{what}: processes are left of an ended pod");
                }
                else if (state == "running")
                {
                    await AssertRunsOrEndsAsync(world, uuid, what);
                    await world.MustAsync("stop", "--timeout", "20s", uuid);
                    Assert.Equal("exited", (await world.JsonAsync("status", uuid)).GetProperty("state").GetString());
                    Assert.True(Members(uuid).Count == 0, $"{what}: processes are left of a stopped pod");
                }
                else
                {
                    // Killed before the pod began, or so that it could not: what is told to have ended has.
                    Assert.True(Members(uuid).Count == 0, $"{what}: {state}, and processes are there");
                }
            }

            await world.MustAsync("gc", "--grace-period", "0", "--expire-prepared", "0");
            Assert.True(world.Leftovers().All(l => l.StartsWith(Path.Combine(world.Root, "images"), StringComparison.Ordinal)), $"{what}: {string.Join(' ', world.Leftovers())}");
            Assert.True(Ranges(world).Length == 0, $"{what}: a range of user ids is left");
            Assert.True(world.Traces([.. uuids]) is [], $"{what}: {string.Join('\n', world.Traces([.. uuids]))}");
        }

        foreach ((string end, int count) in ends)
        {
            output.WriteLine($"{count,4} {end}");
        }

        Assert.True(uuids.Count >= rounds / 2, $"only {uuids.Count} pods were seen in {rounds} rounds");
        await world.MustAsync("run", "--rm", id);
        await world.MustAsync("image", "rm", id);
        await world.MustAsync("gc", "--grace-period", "0", "--expire-prepared", "0");
        Assert.Empty(world.Leftovers());
    }

    /// <summary>Waits for the program's end, which must follow that of its pod; tells who is left if it does not.</summary>
    private static async Task WaitAsync(Process appc, string victim, string what)
    {
        const int Tries = 30;
        for (int i = 0; i < Tries; i++)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3));
            try
            {
                await appc.WaitForExitAsync(limit.Token);
                return;
            }
            catch (OperationCanceledException)
            {
                // What was struck had come to its own end just then: nspawn's helpers live for a moment only.
                Strike(appc, victim);
            }
        }

        if (!appc.HasExited)
        {
            string tree = (await Programs.RunAsync("ps", "-e", "-H", "-o", "pid,ppid,stat,wchan:30,args")).Output;
            appc.Kill();
            Assert.Fail($"{what}: the program waits on:\n{string.Join('\n', tree.Split('\n').Where(l => l.Contains("appc", StringComparison.Ordinal) || l.Contains("systemd", StringComparison.Ordinal) || l.Contains("trap", StringComparison.Ordinal)))}");
        }
    }

    /// <summary>A pod that is told to run has a process, or has ended by the time one looks again.</summary>
    private static async Task AssertRunsOrEndsAsync(World world, string uuid, string what)
    {
        if (Members(uuid).Count == 0)
        {
            string state = (await world.JsonAsync("status", uuid)).GetProperty("state").GetString()!;
            Assert.True(state != "running" || Members(uuid).Count > 0, $"{what}: told to run, and nothing does");
        }
    }

    /// <summary>Kills one or all of a pod's processes, or the program; false if there is none.</summary>
    private static bool Strike(Process appc, string victim)
    {
        int[] found = Find(appc, victim);
        try
        {
            foreach (int pid in found)
            {
                using Process process = Process.GetProcessById(pid);
                process.Kill();
            }
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // It has ended by itself just now.
        }

        return found is not [];
    }

    private static int[] Find(Process appc, string victim)
    {
        // nspawn is a child of the program, systemd of nspawn, the app of systemd; each known by its control group, as
        // they have other children too, for a moment.
        int nspawn = Children(appc.Id).Find(c => GroupOf(c).Contains("/appc-", StringComparison.Ordinal));
        int systemd = nspawn == 0 ? 0 : Children(nspawn).Find(_ => true);
        int app = systemd == 0 ? 0 : Children(systemd).Find(c => GroupOf(c).Contains("/app-", StringComparison.Ordinal));
        int[] found = victim switch
        {
            "host" => [appc.Id],
            "nspawn" => [nspawn],
            "systemd" => [systemd],
            "app" => [app],
            _ => [app, systemd, nspawn],
        };
        return [.. found.Where(p => p != 0)];
    }

    private static string GroupOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cgroup");
        }
        catch (IOException)
        {
            return string.Empty;
        }
    }

    private static List<int> Children(int pid)
    {
        try
        {
            return
            [
                .. from task in Directory.EnumerateDirectories($"/proc/{pid}/task")
                   from child in File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)
                   select int.Parse(child, CultureInfo.InvariantCulture),
            ];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>The living processes in a pod's control group.</summary>
    private static List<int> Members(string uuid)
    {
        List<int> members = [];
        foreach (string directory in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            try
            {
                if (File.ReadAllText(directory + "/cgroup").Contains(uuid, StringComparison.Ordinal)
                    && !File.ReadLines(directory + "/status").Any(l => l.StartsWith("State:\tZ", StringComparison.Ordinal) || l.StartsWith("State:\tX", StringComparison.Ordinal)))
                {
                    members.Add(int.Parse(Path.GetFileName(directory), CultureInfo.InvariantCulture));
                }
            }
            catch (IOException)
            {
                // Gone meanwhile.
            }
        }

        return members;
    }

    [GeneratedRegex("/appc-([0-9a-f-]{36})")]
    private static partial Regex Named();

    private static string[] Ranges(World world)
    {
        string directory = Path.Combine(world.Root, "uidranges");
        return Directory.Exists(directory) ? [.. Directory.EnumerateFiles(directory)] : [];
    }
}
