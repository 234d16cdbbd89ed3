using System.Globalization;
using Appc.PodStress;

namespace Appc.Conformance.Tests.Pods;

/// <summary>
/// What is known of one pod: the phases that it may be in and the ends that its app may have. It grows by what may have happened and
/// shrinks to what was seen.
/// </summary>
internal sealed class ModelPod(string uuid, PodCommand made, ModelWorker maker)
{
    public const string Unknown = "unknown";
    public const string Killed = "SIGKILL";
    public const string Stopped = "exit:5";

    private readonly List<string> _history = [];

    // Whether it may end by itself: it was asked to, or its start was cut off.
    private bool _asked;
    private bool _cutOff;

    // Whether nobody is left who would remove it when it ends.
    private bool _orphaned;

    public string Uuid { get; } = uuid;

    public PodCommand Made { get; } = made;

    /// <summary>The worker whose child it is.</summary>
    public ModelWorker Starter { get; private set; } = maker;

    public PodPhases Phases { get; private set; } = PodPhases.Gone;

    /// <summary>How its app may have ended, as far as it has.</summary>
    public HashSet<string> Ends { get; private set; } = EndsOf(made);

    public IEnumerable<string> History => _history.TakeLast(20);

    /// <summary>Whether it has to end, whatever else happens.</summary>
    public bool MustEnd => Made.ExitCode is not null || (Made.EndsWithHost && Starter.Killed);

    /// <summary>Whether who started it removes it when it ends.</summary>
    public bool MustGo => Made.RemoveOnExit && !Starter.Killed;

    /// <summary>Whether a removal was killed in the middle: a half removed tree tells nothing of its app any more.</summary>
    public bool Torn { get; private set; }

    public void Note(string what) => _history.Add(what);

    /// <summary>Takes where it was seen when nobody was at work on it.</summary>
    public void Saw(PodPhases phase)
    {
        Phases = phase;
        if (phase == PodPhases.Prepared)
        {
            Ends = EndsOf(Made);
            _asked = _cutOff = _orphaned = false;
        }
        else
        {
            _orphaned |= Starter.Killed;
        }
    }

    /// <summary>Takes how its app was told to have ended; false if it cannot have.</summary>
    public bool SawEnd(string end)
    {
        if (!Ends.Contains(end))
        {
            return false;
        }

        // It is never told in another way.
        Ends = [end];
        return true;
    }

    /// <summary>
    /// Takes some operations that were given at once, those that changed something or may have. Whatever order they came in, each of
    /// them must have had a reason for its answer.
    /// </summary>
    /// <param name="operations">Those that concern this pod.</param>
    /// <param name="crowded">Whether others looked at it or worked on it at the same time.</param>
    /// <returns>The phases that it may have been in meanwhile; none if there is no order that explains the answers.</returns>
    public PodPhases Apply(IReadOnlyList<ModelOperation> operations, bool crowded)
    {
        // What is certain comes last.
        foreach (ModelOperation operation in operations.OrderBy(o => o.Answer is not null))
        {
            Expect(operation);
        }

        PodPhases before = Closure(Phases);
        PodPhases during = before;
        PodPhases after = PodPhases.None;
        foreach (IReadOnlyList<ModelOperation> order in Orders(operations))
        {
            PodPhases now = before;
            PodPhases seen = before;
            foreach (ModelOperation operation in order)
            {
                now = Closure(Next(now, operation, crowded));
                seen |= now;
            }

            if (now != PodPhases.None)
            {
                after |= now;
                during |= seen;
            }
        }

        Phases = after;
        Torn |= (after & PodPhases.Marked) != 0 && Made.RemoveOnExit && Starter.Killed;
        if (Starter.Killed && (during & PodPhases.Running) != 0 && (Made.EndsWithHost || (Made.Stage1 == "fly" && !Made.RecordsOwnEnd)))
        {
            Ends.Add(Unknown);
        }

        return after == PodPhases.None ? PodPhases.None : during;
    }

    private void Expect(ModelOperation operation)
    {
        PodAnswer? answer = operation.Answer;
        switch (operation.Command.Operation)
        {
            case "run" or "run-prepared" when answer is { Error: null }:
                Starter = operation.Worker;
                _cutOff = _orphaned = false;
                break;
            case "run" or "run-prepared" when answer is null && (operation.Creates || (Phases & PodPhases.Prepared) != 0):
                // If its child had not begun, nothing has; if it has, it goes on without its starter.
                Starter = operation.Worker;
                _cutOff = true;
                Ends.Add(Unknown);
                break;
            case "stop" when answer?.Error is null:
                _asked = true;
                Ends.Add(Killed);
                if (operation.Command.Milliseconds > 0 && Made.ExitCode is null)
                {
                    Ends.Add(Stopped);
                }

                if (Made.Stage1 == "nspawn")
                {
                    // Its systemd stops apps, or did not come so far as to start one.
                    Ends.UnionWith(["SIGTERM", Unknown]);
                }

                break;
            case "remove" or "collect" when answer is null:
                Torn = true;
                break;
        }
    }

    /// <summary>What a pod does by itself.</summary>
    private PodPhases Closure(PodPhases phases)
    {
        if ((phases & PodPhases.Running) != 0 && (MustEnd || _asked || _cutOff))
        {
            phases |= PodPhases.Exited;
        }

        if ((phases & PodPhases.Exited) != 0 && Made.RemoveOnExit && !_orphaned)
        {
            phases |= PodPhases.Gone | (Starter.Killed ? PodPhases.Marked : PodPhases.None);
        }

        return phases;
    }

    private PodPhases Next(PodPhases phases, ModelOperation operation, bool crowded)
    {
        PodPhases next = PodPhases.None;
        for (int bit = 1; bit <= (int)PodPhases.Garbage; bit <<= 1)
        {
            if ((phases & (PodPhases)bit) != 0)
            {
                next |= NextOf((PodPhases)bit, operation, crowded);
            }
        }

        return next;
    }

    /// <summary>Where an operation may have left a pod; nowhere if its answer cannot be that of one in this phase.</summary>
    private PodPhases NextOf(PodPhases phase, ModelOperation operation, bool crowded)
    {
        const PodPhases NoPhase = PodPhases.None;
        PodAnswer? answer = operation.Answer;
        string? failure = answer?.Failure;
        if (failure == "NotFound")
        {
            return phase == PodPhases.Gone ? phase : NoPhase;
        }

        if (failure == "WrongState" && crowded)
        {
            return phase;
        }

        switch (operation.Command.Operation)
        {
            case "prepare":
                return phase != PodPhases.Gone ? NoPhase : answer is null ? PodPhases.Gone | PodPhases.Aborted | PodPhases.Prepared : PodPhases.Prepared;
            case "run":
                return phase != PodPhases.Gone ? NoPhase : answer is null ? PodPhases.Gone | PodPhases.Aborted | PodPhases.Running | PodPhases.Exited : PodPhases.Running;
            case "run-prepared" when phase == PodPhases.Prepared:
                return answer is null ? phase | PodPhases.Running | PodPhases.Exited : answer.Error is null ? PodPhases.Running : NoPhase;
            case "run-prepared":
                return answer is null || failure == "WrongState" ? phase : NoPhase;
            case "stop" when phase == PodPhases.Running:
                return answer is null ? phase | PodPhases.Exited : answer.Error is null ? PodPhases.Exited : NoPhase;
            case "stop" when phase is PodPhases.Exited or PodPhases.Marked or PodPhases.Gone:
                return answer?.Error is null ? phase : NoPhase;
            case "stop":
                // One that never ran, and is removed at the same time, counts as ended.
                return answer is null || failure == "WrongState" || (crowded && answer is { Error: null, Pods: [{ State: "Deleting" }] }) ? phase : NoPhase;
            case "remove" when phase == PodPhases.Running:
                return answer is null || failure == "WrongState" ? phase : NoPhase;
            case "remove":
                return answer is null ? phase | Leaving(phase) | PodPhases.Gone : answer.Error is null ? PodPhases.Gone : NoPhase;
            default:
                return Collected(phase, operation, crowded);
        }
    }

    private PodPhases Collected(PodPhases phase, ModelOperation operation, bool crowded)
    {
        bool atOnce = operation.Command.Milliseconds == 0;
        bool removed = phase switch
        {
            PodPhases.Exited or PodPhases.Marked => atOnce,
            PodPhases.Prepared => operation.Command.ExpirePrepared,
            PodPhases.Aborted or PodPhases.Garbage => true,
            _ => false,
        };
        bool marked = phase == PodPhases.Exited && !atOnce;
        if (operation.Answer is not { } answer)
        {
            return phase | (removed ? Leaving(phase) | PodPhases.Gone : PodPhases.None) | (marked ? PodPhases.Marked : PodPhases.None);
        }

        return answer.Removed.Contains(Uuid) ? (removed ? PodPhases.Gone : PodPhases.None)
            : answer.Marked.Contains(Uuid) ? (marked ? PodPhases.Marked : PodPhases.None)
            : (!removed && !marked) || crowded ? phase : PodPhases.None;
    }

    /// <summary>Where a pod lies while it is removed.</summary>
    private static PodPhases Leaving(PodPhases phase) => phase switch
    {
        PodPhases.Exited or PodPhases.Marked => PodPhases.Marked,
        PodPhases.Prepared or PodPhases.Aborted or PodPhases.Garbage => PodPhases.Garbage,
        _ => PodPhases.None,
    };

    private static HashSet<string> EndsOf(PodCommand made) => made.ExitCode is { } code ? [string.Create(CultureInfo.InvariantCulture, $"exit:{code}")] : [];

    private static IEnumerable<IReadOnlyList<ModelOperation>> Orders(IReadOnlyList<ModelOperation> operations)
    {
        if (operations.Count == 0)
        {
            yield return [];
            yield break;
        }

        for (int i = 0; i < operations.Count; i++)
        {
            foreach (IReadOnlyList<ModelOperation> rest in Orders([.. operations.Where((_, at) => at != i)]))
            {
                yield return [operations[i], .. rest];
            }
        }
    }
}
