namespace Appc.Signing;

/// <summary>A file or directory of a keystore that was skipped.</summary>
/// <param name="Path">Where it is, cleaned of control characters.</param>
/// <param name="Reason">Why it was skipped, as a phrase.</param>
public sealed record KeystoreProblem(string Path, string Reason);
