namespace Appc.Images;

/// <summary>Checks archives without unpacking them.</summary>
public static class AciValidator
{
    /// <summary>Reads an archive whole; throws <see cref="ImageException"/> or a manifest error at the first fault; returns its manifest, id and compression.</summary>
    public static Task<AciSummary> ValidateAsync(Stream archive, ArchiveLimits? limits = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}

/// <summary>What an archive holds.</summary>
public sealed record AciSummary
{
    /// <summary>The manifest.</summary>
    public required Manifests.ImageManifest Manifest { get; init; }
    /// <summary>The id.</summary>
    public required Manifests.ImageId Id { get; init; }
    /// <summary>none, gzip, bzip2 or xz.</summary>
    public required string Compression { get; init; }
    /// <summary>Number of entries.</summary>
    public required long Entries { get; init; }
    /// <summary>Uncompressed bytes.</summary>
    public required long ExpandedBytes { get; init; }
}
