namespace Appc.Manifests;

/// <summary>A manifest, or one of the scalar types of the specification, is malformed.</summary>
public sealed class ManifestException : AppcException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is malformed and why: one line.</param>
    /// <param name="hint">What the caller can do about it, or null.</param>
    /// <param name="innerException">The cause, if another exception is.</param>
    public ManifestException(string message, string? hint = null, Exception? innerException = null)
        : base(message, hint, innerException)
    {
    }

    internal ManifestException(string what, IReadOnlyList<ManifestFinding> findings)
        : base(Summarise(what, findings)) => Findings = findings;

    /// <summary>Every fault that was found, in the order of the document; empty where a single text was parsed.</summary>
    public IReadOnlyList<ManifestFinding> Findings { get; } = [];

    private static string Summarise(string what, IReadOnlyList<ManifestFinding> findings)
    {
        string more = findings.Count switch
        {
            1 => "",
            2 => " (and 1 more fault)",
            _ => $" (and {findings.Count - 1} more faults)",
        };
        return $"invalid {what}: {findings[0]}{more}";
    }
}
