namespace Appc.PodStress;

/// <summary>What a worker saw of a pod.</summary>
public sealed record PodView
{
    /// <summary>Its UUID.</summary>
    public required string Uuid { get; init; }

    /// <summary>Its state.</summary>
    public required string State { get; init; }

    /// <summary>Its name.</summary>
    public string? Name { get; init; }

    /// <summary>Its label.</summary>
    public string? Label { get; init; }

    /// <summary>Whether its start is recorded.</summary>
    public bool Started { get; init; }

    /// <summary>How its app ended: <c>exit:5</c>, <c>SIGKILL</c>, <c>unknown</c>; null if it has not, or if its directory does not tell of an app.</summary>
    public string? End { get; init; }

    /// <summary>Whether its directory tells of its app.</summary>
    public bool HasApp { get; init; }
}
