namespace Appc.Fetching;

/// <summary>One request of a discovery.</summary>
public sealed record DiscoveryAttempt
{
    /// <summary>The address that was asked.</summary>
    public string Url { get; init; } = "";

    /// <summary>The server's status; null if there was no answer.</summary>
    public int? Status { get; init; }

    /// <summary>What came of it.</summary>
    public DiscoveryOutcome Outcome { get; init; }

    /// <summary>The outcome in words, one line.</summary>
    public string Detail { get; init; } = "";

    /// <summary>The discovery tags of the page and what became of each.</summary>
    public IReadOnlyList<DiscoveryTag> Tags { get; init; } = [];
}
