namespace Appc.Pods;

/// <summary>One thing that keeps a pod from being made.</summary>
/// <param name="Failure">Its class.</param>
/// <param name="Message">What is wrong, as part of a sentence.</param>
/// <param name="Hint">What to do about it; null if there is nothing to say.</param>
public sealed record PodFinding(PodFailure Failure, string Message, string? Hint = null);
