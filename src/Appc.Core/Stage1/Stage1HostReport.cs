namespace Appc.Stage1;

/// <summary>What a flavour found on this host.</summary>
public sealed record Stage1HostReport
{
    /// <summary>Why the flavour cannot start pods here, as one line; null if it can.</summary>
    public string? Problem { get; init; }

    /// <summary>What to do about the problem; null if there is none.</summary>
    public string? Hint { get; init; }

    /// <summary>Version of what does the work, such as <c>systemd 252</c>; null if there is none.</summary>
    public string? Version { get; init; }
}
