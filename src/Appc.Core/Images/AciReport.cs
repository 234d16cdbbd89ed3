namespace Appc.Images;

/// <summary>What a look through a whole archive found.</summary>
public sealed record AciReport
{
    /// <summary>Everything that is wrong, in the order of the archive; empty for a good image.</summary>
    public required IReadOnlyList<AciFinding> Findings { get; init; }

    /// <summary>What the archive holds; null if anything is wrong.</summary>
    public AciSummary? Summary { get; init; }

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsValid => Findings.Count == 0;
}
