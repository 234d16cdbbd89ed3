namespace Appc.Manifests;

/// <summary>
/// Bounds on what is read as a manifest. They keep a hostile document from costing more than a moment and a few
/// megabytes; an honest manifest comes nowhere near them.
/// </summary>
public sealed class ManifestLimits
{
    /// <summary>The most bytes of a document.</summary>
    /// <value>4 MiB.</value>
    public int MaxBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>The most levels of objects and lists inside each other.</summary>
    /// <value>64.</value>
    public int MaxDepth { get; set; } = 64;

    /// <summary>The most values of any kind in a document.</summary>
    /// <value>262,144.</value>
    public int MaxValues { get; set; } = 256 * 1024;

    /// <summary>The most faults that are listed; one more finding then says that there are others.</summary>
    /// <value>1,000.</value>
    public int MaxFindings { get; set; } = 1000;

    // For values that this program holds already: that they came within bounds was for others to see to.
    internal static ManifestLimits None => new() { MaxBytes = int.MaxValue, MaxDepth = int.MaxValue - 1, MaxValues = int.MaxValue };
}
