using Appc.Manifests;
using Appc.Trust;

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

    /// <summary>Bytes of the archive as it was signed.</summary>
    public required long ArchiveBytes { get; init; }

    /// <summary>Directory of the rendered tree (the image's own files); null where the store keeps archives only.</summary>
    public string? TreePath { get; init; }

    /// <summary>Path of the archive as it was signed.</summary>
    public required string ArchivePath { get; init; }
}

/// <summary>Where an image came from, when, under which name, and who vouched for it.</summary>
public sealed record ImageProvenance
{
    /// <summary>The file or URL that the archive came from.</summary>
    public required string Source { get; init; }

    /// <summary>When it was imported.</summary>
    public required DateTimeOffset Imported { get; init; }

    /// <summary>Whether it was asked for without a version, so that it counts as the latest of its name.</summary>
    public bool Latest { get; init; }

    /// <summary>Whether it was stored without a signature check. Stays so for ever.</summary>
    public bool Insecure { get; init; }

    /// <summary>Who signed it and for which scope the key was trusted; null if it was not checked.</summary>
    public SignatureSigner? Signer { get; init; }
}
