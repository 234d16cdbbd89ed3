namespace Appc.Stage1;

/// <summary>What a flavour freed on the host.</summary>
public sealed record Stage1Garbage
{
    /// <summary>Control groups that were removed.</summary>
    public int ControlGroups { get; init; }

    /// <summary>Ranges of user ids that are free again.</summary>
    public int IdRanges { get; init; }
}
