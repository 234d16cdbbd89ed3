namespace Appc.PodStress;

/// <summary>What came of a <see cref="PodCommand"/>: one line of JSON.</summary>
public sealed record PodAnswer
{
    /// <summary>The command's.</summary>
    public int Id { get; init; }

    /// <summary>The pod that was made or found; null if none was.</summary>
    public string? Uuid { get; init; }

    /// <summary>The pods that were looked at.</summary>
    public IReadOnlyList<PodView> Pods { get; init; } = [];

    /// <summary>Of a collection: the pods that were removed.</summary>
    public IReadOnlyList<string> Removed { get; init; } = [];

    /// <summary>Of a collection: the pods that were marked.</summary>
    public IReadOnlyList<string> Marked { get; init; } = [];

    /// <summary>Of a collection: what could not be done.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];

    /// <summary>Of a wait: whether its time was over.</summary>
    public bool TimedOut { get; init; }

    /// <summary>Type of the exception; null if there was none.</summary>
    public string? Error { get; init; }

    /// <summary>Its class, if it is one of the library's.</summary>
    public string? Failure { get; init; }

    /// <summary>What it says, and for exceptions that are not the library's where it was thrown.</summary>
    public string? Message { get; init; }
}
