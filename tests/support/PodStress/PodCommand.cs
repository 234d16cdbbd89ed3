namespace Appc.PodStress;

/// <summary>What a worker is told to do: one line of JSON.</summary>
public sealed record PodCommand
{
    /// <summary>By which the answer is found.</summary>
    public int Id { get; init; }

    /// <summary><c>prepare run run-prepared open status list wait stop remove collect</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>UUID or name of the pod that is meant.</summary>
    public string? Pod { get; init; }

    /// <summary>For a new pod: its name. For a list: the name that is asked for.</summary>
    public string? Name { get; init; }

    /// <summary>For a new pod: its label. For a list: the label that is asked for.</summary>
    public string? Label { get; init; }

    /// <summary>For a list: the state that is asked for.</summary>
    public string? State { get; init; }

    /// <summary>For a new pod: the code with which its app ends at once; null if it waits.</summary>
    public int? ExitCode { get; init; }

    /// <summary>For a new pod: whether it ends with the worker that starts it.</summary>
    public bool EndsWithHost { get; init; }

    /// <summary>For a new pod: whether it is removed when it ends.</summary>
    public bool RemoveOnExit { get; init; }

    /// <summary>For a new pod: whether it records its own end.</summary>
    public bool RecordsOwnEnd { get; init; }

    /// <summary>For a new pod: whether it has a control group.</summary>
    public bool OwnControlGroup { get; init; }

    /// <summary>For a new pod: its flavour.</summary>
    public string? Stage1 { get; init; }

    /// <summary>Time limit of a wait, grace of a stop or of a collection.</summary>
    public int Milliseconds { get; init; }

    /// <summary>Whether it is tried again and again for a while, as long as the pod is not there or not so far.</summary>
    public bool Eager { get; init; }

    /// <summary>For a collection: whether prepared pods are collected too.</summary>
    public bool ExpirePrepared { get; init; }
}
