using Appc.Manifests;

namespace Appc.Images;

/// <summary>What an archive holds.</summary>
public sealed record AciSummary
{
    /// <summary>The manifest.</summary>
    public required ImageManifest Manifest { get; init; }
    /// <summary>The id.</summary>
    public required ImageId Id { get; init; }
    /// <summary>none, gzip, bzip2, xz or zstd.</summary>
    public required string Compression { get; init; }
    /// <summary>Number of entries.</summary>
    public required long Entries { get; init; }
    /// <summary>Uncompressed bytes.</summary>
    public required long ExpandedBytes { get; init; }
}
