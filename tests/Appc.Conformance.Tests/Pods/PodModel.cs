using Appc.PodStress;

namespace Appc.Conformance.Tests.Pods;

/// <summary>What must be true of all pods of a data directory, whoever of those that work on them was killed.</summary>
internal sealed class PodModel
{
    private readonly Dictionary<string, ModelPod> _pods = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ModelPod> _gone = new(StringComparer.Ordinal);

    /// <summary>The pods that may be there.</summary>
    public IReadOnlyCollection<ModelPod> Pods => _pods.Values;

    /// <summary>UUIDs of the pods that were there.</summary>
    public IReadOnlyCollection<string> Gone => _gone.Keys;

    /// <summary>A pod that is or was there; null if there never was one.</summary>
    public ModelPod? Find(string uuid) => _pods.GetValueOrDefault(uuid) ?? _gone.GetValueOrDefault(uuid);

    /// <summary>Takes commands that were given at once, when each has its answer or its worker is dead.</summary>
    /// <param name="operations">The commands.</param>
    /// <param name="found">UUIDs of all pods that are in the data directory now.</param>
    /// <param name="step">For the pods' histories.</param>
    /// <exception cref="ModelException">There is no order of things in which this can have happened.</exception>
    public void Apply(IReadOnlyList<ModelOperation> operations, IEnumerable<string> found, string step)
    {
        List<ModelPod> made = Enter(operations, found);
        foreach (ModelOperation operation in operations)
        {
            Require(operation.Answer is not { Error: not null and not "PodException" }, null, $"not an error that may come: {operation}");
            Require(operation.Answer is not { Failures.Count: > 0 }, null, $"the collection failed: {operation}");
        }

        Dictionary<ModelPod, PodPhases> during = [];
        foreach (ModelPod pod in _pods.Values)
        {
            List<ModelOperation> concerned = [.. operations.Where(o => Concerns(o, pod))];
            concerned.ForEach(o => pod.Note($"{step} {o}"));
            PodPhases before = pod.Phases;
            bool crowded = concerned.Count > 1 || pod.Made.RemoveOnExit || made.Contains(pod);
            during[pod] = pod.Apply([.. concerned.Where(o => o.Changes)], crowded);
            Require(pod.Phases != PodPhases.None, pod, $"it was {before}, and no order of these explains what they answered: {string.Join("; ", concerned)}");
        }

        foreach (ModelOperation operation in operations.Where(o => o.Answer is not null))
        {
            CheckAnswer(operation, operations, during, made);
        }
    }

    /// <summary>Takes what is seen when nobody is at work; tells what is not yet as it must become by itself, null if all is.</summary>
    /// <param name="views">All pods, as a worker lists them.</param>
    /// <param name="found">UUIDs of all pods that are in the data directory.</param>
    /// <exception cref="ModelException">A pod is as it cannot be.</exception>
    public string? Observe(IReadOnlyList<PodView> views, IReadOnlyCollection<string> found)
    {
        Dictionary<ModelPod, PodPhases> seen = [];
        foreach (PodView view in views)
        {
            ModelPod? pod = _pods.GetValueOrDefault(view.Uuid);
            Require(pod is not null, Find(view.Uuid), $"a pod that was gone is listed as {view.State}: {view.Uuid}");
            PodPhases phase = PhaseOf(view.State);
            bool settled = phase != PodPhases.None && (pod!.Phases & phase) != 0 && !(phase == PodPhases.Running && pod.MustEnd) && !(phase == PodPhases.Exited && pod.MustGo);
            if (!settled)
            {
                // A child that is just being launched may hold locks for a moment; what has to end may take its time.
                bool soon = phase == PodPhases.None || (phase == PodPhases.Running && (pod!.Phases & PodPhases.Exited) != 0) || (phase == PodPhases.Exited && pod!.MustGo);
                Require(soon, pod, $"it is {view.State}, and can only be {pod!.Phases}");
                return $"{view.Uuid} is {view.State} and must become one of {pod.Phases}:\n{string.Join('\n', pod.History)}";
            }

            CheckView(view, pod!);
            seen[pod!] = phase;
        }

        if (!found.Order().SequenceEqual(views.Select(v => v.Uuid).Order()))
        {
            return $"there are directories of {string.Join(' ', found.Order())} and listed are {string.Join(' ', views.Select(v => v.Uuid).Order())}";
        }

        foreach (IGrouping<string?, PodView> named in views.Where(v => v.Name is not null).GroupBy(v => v.Name))
        {
            Require(named.Count() == 1, Find(named.First().Uuid), $"several pods are called {named.Key}");
        }

        foreach (ModelPod pod in _pods.Values.ToList())
        {
            PodPhases phase = seen.GetValueOrDefault(pod, PodPhases.Gone);
            Require((pod.Phases & phase) != 0, pod, $"it has vanished, and can only be {pod.Phases}");
            pod.Saw(phase);
            if (phase == PodPhases.Gone)
            {
                _pods.Remove(pod.Uuid);
                _gone[pod.Uuid] = pod;
            }
        }

        return null;
    }

    /// <summary>Checks the answer to a wait that went on beside other steps.</summary>
    /// <exception cref="ModelException">It cannot have ended so.</exception>
    public void CheckWait(ModelOperation wait)
    {
        ModelPod? pod = wait.Answer?.Uuid is { } uuid ? Find(uuid) : null;
        foreach (PodView view in pod is null ? [] : wait.Answer!.Pods)
        {
            pod!.Note($"later {wait}");
            Require(view.State is not ("Running" or "Preparing" or "Prepared"), pod, $"a wait told that it ended, and it is {view.State}");
            CheckEnd(view, pod);
        }
    }

    /// <summary>Enters the pods that came to be.</summary>
    private List<ModelPod> Enter(IReadOnlyList<ModelOperation> operations, IEnumerable<string> found)
    {
        List<ModelPod> made = [.. operations.Where(o => o is { Creates: true, Answer.Uuid: not null }).Select(o => new ModelPod(o.Answer!.Uuid!, o.Command, o.Worker))];
        made.ForEach(p => Require(Find(p.Uuid) is null, p, "it is not a new one"));
        List<ModelOperation> cutOff = [.. operations.Where(o => o is { Creates: true, Answer: null })];
        foreach (string uuid in found.Where(u => !_pods.ContainsKey(u) && !made.Any(m => m.Uuid == u)))
        {
            Require(!_gone.TryGetValue(uuid, out ModelPod? pod), pod, "it was gone, and is there again");
            Require(cutOff.Count == 1, null, $"nobody has made the pod {uuid}");
            made.Add(new ModelPod(uuid, cutOff[0].Command, cutOff[0].Worker));
            cutOff.Clear();
        }

        made.ForEach(p => _pods.Add(p.Uuid, p));
        return made;
    }

    private static bool Concerns(ModelOperation operation, ModelPod pod) =>
        operation.Creates ? operation.Answer is null ? ReferenceEquals(operation.Command, pod.Made) : operation.Answer.Uuid == pod.Uuid
        : operation.Command.Operation is "collect" or "list" || operation.Answer?.Uuid == pod.Uuid
            || (operation.Answer?.Uuid is null && (operation.Command.Pod == pod.Uuid || (operation.Answer is null && operation.Command.Pod == pod.Made.Name)));

    private void CheckAnswer(ModelOperation operation, IReadOnlyList<ModelOperation> all, Dictionary<ModelPod, PodPhases> during, List<ModelPod> made)
    {
        PodAnswer answer = operation.Answer!;
        if (answer.Failure == "NameTaken")
        {
            bool others = all.Any(o => o != operation && o.Creates && o.Command.Name == operation.Command.Name) || Named(operation.Command.Name).Any(p => during[p] != PodPhases.Gone)

                // Its starter frees the name a moment after the directory is gone.
                || _gone.Values.Any(p => p.MustGo && p.Made.Name == operation.Command.Name);
            Require(operation.Creates && others, null, $"nobody has the name: {operation}");
        }
        else if (answer.Failure == "NotFound" && answer.Uuid is null)
        {
            // By UUID that was looked at before, if it changes something.
            ModelPod? certain = Named(operation.Command.Pod).Concat(_pods.Values.Where(p => p.Uuid == operation.Command.Pod)).FirstOrDefault(p => (during[p] & PodPhases.Gone) == 0);
            Require(certain is null, certain, $"it is there: {operation}");
        }
        else if (operation.Creates)
        {
            Require(answer.Error is null, null, $"a pod was not made: {operation}");
        }

        if (operation.Command.Operation == "list")
        {
            CheckList(operation, during);
        }

        bool waits = operation.Command.Operation == "wait";
        foreach (PodView view in answer.Pods)
        {
            ModelPod? pod = _pods.GetValueOrDefault(view.Uuid);
            Require(pod is not null || (_gone.ContainsKey(view.Uuid) && view.State == "Gone"), Find(view.Uuid), $"there is no such pod: {operation}");
            if (pod is not null)
            {
                bool alone = all.Count(o => Concerns(o, pod)) == 1 && !pod.Made.RemoveOnExit && !made.Contains(pod);
                PodPhases phase = PhaseOf(view.State);
                bool passing = phase == PodPhases.None || (phase == PodPhases.Running && (during[pod] & (PodPhases.Exited | PodPhases.Prepared)) != 0);
                Require((during[pod] & phase) != 0 || (passing && !alone), pod, $"it was one of {during[pod]}, and is told to be {view.State}: {operation}");
                Require(!waits || view.State is not ("Running" or "Preparing" or "Prepared"), pod, $"it is {view.State}, and a wait has ended: {operation}");
                CheckEnd(view, pod);
            }
        }

        if (answer.TimedOut && answer.Uuid is { } uuid && _pods.TryGetValue(uuid, out ModelPod? waited))
        {
            // Its starter may be about to tell its end.
            bool may = (during[waited] & (PodPhases.Running | PodPhases.Exited | PodPhases.Marked)) != 0 || all.Count(o => Concerns(o, waited)) > 1;
            Require(may, waited, $"it will not end: {operation}");
        }
    }

    private void CheckList(ModelOperation operation, Dictionary<ModelPod, PodPhases> during)
    {
        PodCommand asked = operation.Command;
        foreach (PodView view in operation.Answer!.Pods)
        {
            bool meant = (asked.Name is null || asked.Name == view.Name) && (asked.Label is null || asked.Label == view.Label) && (asked.State is null || asked.State == view.State);
            Require(meant, Find(view.Uuid), $"was not asked for: {operation}");
        }

        foreach ((ModelPod pod, PodPhases phases) in during)
        {
            // What was there all the time and tells of itself must be in the list.
            const PodPhases Whole = PodPhases.Prepared | PodPhases.Running | PodPhases.Exited;
            bool meant = (phases & ~Whole) == 0
                && (asked.Name is null || asked.Name == pod.Made.Name) && (asked.Label is null || asked.Label == pod.Made.Label) && (asked.State is null || phases == PodPhases.Running);
            Require(!meant || operation.Answer.Pods.Any(v => v.Uuid == pod.Uuid), pod, $"it is not listed: {operation}");
        }
    }

    private static void CheckView(PodView view, ModelPod pod)
    {
        bool half = PhaseOf(view.State) == PodPhases.Aborted || (pod.Torn && PhaseOf(view.State) is PodPhases.Marked or PodPhases.Garbage or PodPhases.None);
        Require(half || view.HasApp, pod, $"it is {view.State}, and tells of no app");
        Require(!view.HasApp || (view.Name == pod.Made.Name && view.Label == pod.Made.Label), pod, $"it is called {view.Name} and labelled {view.Label}");
        CheckEnd(view, pod);
    }

    private static void CheckEnd(PodView view, ModelPod pod)
    {
        // One that never ran is told to be deleted as well.
        bool tells = view.HasApp && (view.State is "Exited" or "ExitedGarbage" || (view.State == "Deleting" && view.Started));
        if (!tells)
        {
            return;
        }

        // Who records its own end does so from its start on.
        bool recorded = view is { End: ModelPod.Unknown, Started: true } && pod.Made is { RecordsOwnEnd: true, EndsWithHost: false, Stage1: "fly" };
        string ends = string.Join(' ', pod.Ends);
        Require(!recorded && view.End is not null && pod.SawEnd(view.End), pod, $"it ended with {view.End}, and can only have ended with {ends}");
    }

    private IEnumerable<ModelPod> Named(string? name) => name is null ? [] : _pods.Values.Where(p => p.Made.Name == name);

    /// <summary>The phase that a state tells; none for one in which somebody is at work.</summary>
    private static PodPhases PhaseOf(string state) => state switch
    {
        "AbortedPrepare" => PodPhases.Aborted,
        "Prepared" => PodPhases.Prepared,
        "Running" => PodPhases.Running,
        "Exited" => PodPhases.Exited,
        "ExitedGarbage" => PodPhases.Marked,
        "Garbage" => PodPhases.Garbage,
        "Gone" => PodPhases.Gone,
        _ => PodPhases.None,
    };

    private static void Require([System.Diagnostics.CodeAnalysis.DoesNotReturnIf(false)] bool holds, ModelPod? pod, string otherwise)
    {
        if (!holds)
        {
            throw new ModelException(pod is null ? otherwise : $"the pod {pod.Uuid} ({pod.Made.Stage1}): {otherwise}\nits history:\n{string.Join('\n', pod.History)}");
        }
    }
}
