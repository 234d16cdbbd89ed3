using Appc.PodStress;

namespace Appc.Conformance.Tests.Pods;

/// <summary>One command that a worker was given, and what came of it.</summary>
internal sealed class ModelOperation(PodCommand command, ModelWorker worker)
{
    public PodCommand Command { get; } = command;

    public ModelWorker Worker { get; } = worker;

    /// <summary>The answer; null if the worker was killed before it gave one.</summary>
    public PodAnswer? Answer { get; set; }

    public bool Creates => Command.Operation is "prepare" or "run";

    /// <summary>Whether it changes pods, or would have if it had come that far.</summary>
    public bool Changes => Creates || Command.Operation is "run-prepared" or "stop" or "remove" or "collect";

    public override string ToString()
    {
        string what = string.Join(' ', ((string?[])
        [
            Command.Operation,
            Command.Pod,
            Command.Name is { } name ? $"name={name}" : null,
            Command.Label is { } label ? $"label={label}" : null,
            Command.State is { } state ? $"state={state}" : null,
            Command.ExitCode is { } code ? $"code={code}" : null,
            Command.EndsWithHost ? "ends-with-host" : null,
            Command.RemoveOnExit ? "remove-on-exit" : null,
            Command.RecordsOwnEnd ? "records-own-end" : null,
            Command.OwnControlGroup ? "own-control-group" : null,
            Command.Stage1,
            Command.Operation is "stop" or "wait" or "collect" ? $"{Command.Milliseconds}ms" : null,
            Command.Eager ? "eager" : null,
            Command.ExpirePrepared ? "expire-prepared" : null,
        ]).Where(w => w is not null));
        string came = Answer switch
        {
            null => "killed",
            { Error: { } error } => $"{error} {Answer.Failure}: {Answer.Message}",
            { TimedOut: true } => "timed out",
            _ => string.Join(' ', ((string?[])
            [
                Answer.Uuid is { } uuid ? uuid[..8] : "done",
                Answer.Removed.Count > 0 ? "removed " + string.Join(',', Answer.Removed.Select(r => r[..8])) : null,
                Answer.Marked.Count > 0 ? "marked " + string.Join(',', Answer.Marked.Select(r => r[..8])) : null,
                .. Answer.Failures,
                .. Answer.Pods.Select(p => $"{p.Uuid[..8]}={p.State}{(p.End is null ? "" : "/" + p.End)}"),
            ]).Where(w => w is not null)),
        };
        return $"{Worker.Name}: {what} -> {came}";
    }
}
