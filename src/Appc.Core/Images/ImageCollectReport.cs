namespace Appc.Images;

/// <summary>What a collection of images removed, and what it left and why.</summary>
public sealed record ImageCollectReport
{
    /// <summary>Images that were removed, in this order: those that depend on others come before these.</summary>
    public required IReadOnlyList<CollectedImage> Removed { get; init; }

    /// <summary>Images that stay, each with the reason.</summary>
    public required IReadOnlyList<KeptImage> Kept { get; init; }

    /// <summary>Rendered trees that were removed from images that stay, by their paths below the data directory.</summary>
    public IReadOnlyList<string> RenderedTrees { get; init; } = [];

    /// <summary>How many leftovers of interrupted calls were removed.</summary>
    public int Leftovers { get; init; }

    /// <summary>Disk space that became free, in bytes. Files that something else still has are not counted.</summary>
    public long BytesFreed { get; init; }

    /// <summary>What could not be removed, and why.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];
}
