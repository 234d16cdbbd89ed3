namespace Appc.Aot.Faults;

/// <summary>Every fault at every system call of a scenario, one after the other.</summary>
/// <param name="scenario">The work.</param>
/// <param name="reference">What the image must be.</param>
/// <param name="scratch">A directory of its own.</param>
/// <param name="part">Which part of the calls, from 0.</param>
/// <param name="parts">Into how many parts the calls are dealt out.</param>
internal sealed class FaultMatrix(Scenario scenario, Reference reference, string scratch, int part, int parts)
{
    private const int EIO = 5;
    private const int EMFILE = 24;
    private const int ENOSPC = 28;

    private static readonly Fault Kill = new("KILL", 0);

    private readonly List<string> _findings = [];
    private int _worlds;
    private int _cases;
    private int _refused;
    private int _survived;
    private int _leftUntilCollected;

    /// <summary>Refuses every call that reads or writes. Returns the exit code.</summary>
    public async Task<int> RefuseAsync()
    {
        using Worker worker = Worker.Start(scenario, reference, scratch);
        IReadOnlyList<SeenCall> calls = await CountAsync(worker, onlyWriting: false);
        for (int at = 1 + part; at <= calls.Count; at += parts)
        {
            foreach (Fault fault in FaultsFor(calls[at - 1]))
            {
                await RefuseOnceAsync(worker, at, fault);
            }
        }

        return Report("refused", calls);
    }

    /// <summary>Kills a process of its own at every call that writes. Returns the exit code.</summary>
    public async Task<int> KillAsync()
    {
        IReadOnlyList<SeenCall> calls;
        using (Worker worker = Worker.Start(scenario, reference, scratch))
        {
            calls = await CountAsync(worker, onlyWriting: true);
        }

        for (int at = 1 + part; at <= calls.Count; at += parts)
        {
            await KillOnceAsync(at);
        }

        return Report("killed", calls);
    }

    private async Task KillOnceAsync(int at)
    {
        World world = NewWorld();
        await scenario.PrepareAsync(world);
        using Worker worker = Worker.Start(scenario, reference, scratch);
        worker.Gate.Arm(at, Kill, onlyWriting: true);
        string? outcome = await worker.RunAsync(world);
        IReadOnlyList<SeenCall> calls = worker.Gate.Disarm(out bool hit);
        _cases++;
        if (!hit && IsBeyond(at, calls))
        {
            await AfterwardsAsync(world, "without a fault");
            return;
        }

        if (!hit || outcome is not null)
        {
            _findings.Add($"there was no call {at}, only {calls.Count}: {outcome}");
            return;
        }

        _leftUntilCollected += world.Leftovers().Length > 0 ? 1 : 0;
        await AfterwardsAsync(world, $"killed at {at}, {calls[at - 1]}", killed: true);
    }

    private static IEnumerable<Fault> FaultsFor(SeenCall call)
    {
        yield return new Fault("EIO", EIO);
        if (call.Call.Kind != CallKind.Reads)
        {
            yield return new Fault("EMFILE", EMFILE);
            yield return new Fault("ENOSPC", ENOSPC);
        }

        if (call.Writes && call.Call.Kind is CallKind.Fills or CallKind.Opens)
        {
            yield return new Fault("ENOSPC from there on", ENOSPC, Lasting: true);
        }
    }

    private async Task RefuseOnceAsync(Worker worker, int at, Fault fault)
    {
        World world = NewWorld();
        await scenario.PrepareAsync(world);
        worker.Gate.Arm(at, fault, onlyWriting: false);
        string outcome = await worker.RunAsync(world) ?? throw new InvalidOperationException($"the process ended at {at}");
        IReadOnlyList<SeenCall> calls = worker.Gate.Disarm(out bool hit);
        _cases++;
        if (!hit && IsBeyond(at, calls))
        {
            await AfterwardsAsync(world, "without a fault");
            return;
        }

        if (!hit)
        {
            _findings.Add($"there was no call {at}, only {calls.Count}");
            return;
        }

        SeenCall call = calls[at - 1];
        string what = $"{fault.Name} at {at}, {call}";
        if (outcome == Worker.Done)
        {
            _survived++;
            if (call.Call.Name is "fsync" or "syncfs" or "fdatasync")
            {
                _findings.Add($"{what}: it reported success, and nobody knows whether it is durable");
            }

            await RunCheckAsync(what + ", reported as success", () => scenario.DoneAsync(world));
        }
        else if (outcome.StartsWith(Worker.Refused, StringComparison.Ordinal))
        {
            _refused++;
        }
        else
        {
            _findings.Add($"{what}: {outcome}");
        }

        if (world.Leftovers().Length > 0)
        {
            _leftUntilCollected++;
            if (!RemovesOrLooks(call.Call.Name) && !scenario.MayLeave)
            {
                _findings.Add($"{what}: left {string.Join(", ", world.Leftovers())} ({outcome})");
            }
        }

        await AfterwardsAsync(world, what);
    }

    /// <summary>Whether this time there were fewer calls than when they were counted, as may be.</summary>
    private bool IsBeyond(int at, IReadOnlyList<SeenCall> calls) => scenario.Varies && at > calls.Count;

    /// <summary>Calls by which a failed operation clears up: if one of these fails, the rest is the collection's.</summary>
    private static bool RemovesOrLooks(string call) => call is "unlinkat" or "unlink" or "rmdir" or "openat" or "getdents64";

    private async Task AfterwardsAsync(World world, string what, bool killed = false)
    {
        if (scenario.IsAboutPods
            ? await RunCheckAsync(what + ", collected", () => world.RecoverPodsAsync(killed, scenario.ChangesApps))
            : await RunCheckAsync(what + ", afterwards", world.VerifyAsync) && await RunCheckAsync(what + ", done again", world.RecoverAsync))
        {
            Directory.Delete(world.Root, recursive: true);
        }
    }

    private async Task<bool> RunCheckAsync(string what, Func<Task> check)
    {
        try
        {
            await check();
            return true;
        }
#pragma warning disable CA1031 // Every fault is a finding.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _findings.Add($"{what}: {(e is FaultFoundException or AppcException ? e.Message : e)}");
            return false;
        }
    }

    private async Task<IReadOnlyList<SeenCall>> CountAsync(Worker worker, bool onlyWriting)
    {
        World world = NewWorld();
        await scenario.PrepareAsync(world);
        worker.Gate.Arm(0, null, onlyWriting);
        string? outcome = await worker.RunAsync(world);
        IReadOnlyList<SeenCall> calls = worker.Gate.Disarm(out _);
        World.Check(outcome == Worker.Done, "without a fault: " + outcome);
        await scenario.DoneAsync(world);
        await AfterwardsAsync(world, "without a fault");
        return calls;
    }

    private World NewWorld() => new(scratch, Path.Combine(scratch, $"{_worlds++}"), reference);

    private int Report(string how, IReadOnlyList<SeenCall> calls)
    {
        Console.WriteLine(
            $"{scenario.Name}: {how} at each of {Summary(calls)}: {_cases} faults, {_refused} reported, {_survived} overcome, {_leftUntilCollected} left something that was collected");
        foreach (string finding in _findings)
        {
            Console.WriteLine($"  {finding}");
        }

        return _findings.Count == 0 ? 0 : 1;
    }

    private static string Summary(IReadOnlyList<SeenCall> calls) =>
        $"{calls.Count} calls ({string.Join(", ", calls.GroupBy(c => c.Call.Name).OrderByDescending(g => g.Count()).Select(g => $"{g.Key} {g.Count()}"))})";
}
