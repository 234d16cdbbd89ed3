using Appc.Manifests;

namespace Appc.Images;

/// <summary>An image in the store. A value: it does not keep the image from being removed.</summary>
public sealed record StoredImage
{
    /// <summary>The image's id.</summary>
    public required ImageId Id { get; init; }

    /// <summary>The image's manifest.</summary>
    public required ImageManifest Manifest { get; init; }

    /// <summary>Where it came from and how it was checked.</summary>
    public required ImageProvenance Provenance { get; init; }

    /// <summary>
    /// When it was used last: imported or asked to be, held, made part of a pod, rendered, exported. Looking at it and
    /// verifying it are no uses.
    /// </summary>
    public DateTimeOffset LastUsed { get; init; }

    /// <summary>Bytes of the archive as it was signed.</summary>
    public required long ArchiveBytes { get; init; }

    /// <summary>Directory of the rendered tree (the image's own files); null where the store keeps archives only.</summary>
    public string? TreePath { get; init; }

    /// <summary>Path of the archive as it was signed.</summary>
    public required string ArchivePath { get; init; }
}
