using Appc.Manifests;
using Appc.Trust;

namespace Appc.Images;

/// <summary>What a look at one stored image found.</summary>
public sealed record ImageVerification
{
    /// <summary>The image.</summary>
    public required ImageId Id { get; init; }

    /// <summary>Its manifest as the archive has it; null if the archive is damaged.</summary>
    public ImageManifest? Manifest { get; init; }

    /// <summary>Everything that is not as it should be, a hundred things at most; empty for an image that is whole.</summary>
    public required IReadOnlyList<ImageFinding> Findings { get; init; }

    /// <summary>How many findings there were beyond those listed.</summary>
    public long FindingsOmitted { get; init; }

    /// <summary>Whether nothing was found.</summary>
    public bool IsGood => Findings.Count == 0;

    /// <summary>Whose signature was found good now; null if none was, or none was looked for.</summary>
    public SignatureSigner? Signer { get; init; }

    /// <summary>
    /// The digest of the image's own tree as it is on disk (<c>sha256-…</c>), by which trees of two hosts can be compared;
    /// null where there is no tree.
    /// </summary>
    public string? TreeDigest { get; init; }

    /// <summary>Number of files of all kinds in the tree, its own directory included.</summary>
    public long TreeFiles { get; init; }

    /// <summary>Rendered trees that could not be checked, since an image that they were made of is no longer in the store.</summary>
    public IReadOnlyList<string> Unchecked { get; init; } = [];

    /// <summary>Names in the image's directory that this version does not know, and leaves alone.</summary>
    public IReadOnlyList<string> UnknownFiles { get; init; } = [];
}
