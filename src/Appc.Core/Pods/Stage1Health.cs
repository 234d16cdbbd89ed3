namespace Appc.Pods;

/// <summary>What a flavour found on this host.</summary>
/// <param name="Name">The flavour.</param>
/// <param name="Version">Version of what does its work; null if there is none.</param>
/// <param name="Problem">Why it cannot run pods here; null if it can.</param>
/// <param name="Hint">What to do about it; null if there is nothing to say.</param>
public sealed record Stage1Health(string Name, string? Version, string? Problem, string? Hint)
{
    /// <summary>Whether it can run pods here.</summary>
    public bool IsUsable => Problem is null;
}
