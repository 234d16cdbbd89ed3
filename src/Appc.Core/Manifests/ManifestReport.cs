namespace Appc.Manifests;

/// <summary>What came of reading a document as a manifest: the manifest, or every fault.</summary>
public sealed class ManifestReport
{
    internal ManifestReport(ManifestKind kind, IReadOnlyList<ManifestFinding> findings, ImageManifest? image, PodManifest? pod)
    {
        Kind = kind;
        Findings = findings;
        Image = image;
        Pod = pod;
    }

    /// <summary>Which manifest it was read as; <see cref="ManifestKind.Auto"/> if the document does not say.</summary>
    public ManifestKind Kind { get; }

    /// <summary>Every fault, in the order of the document; empty if there is none.</summary>
    public IReadOnlyList<ManifestFinding> Findings { get; }

    /// <summary>Whether there is no fault.</summary>
    public bool IsValid => Findings.Count == 0;

    /// <summary>The image manifest, if it is a valid one; else null.</summary>
    public ImageManifest? Image { get; }

    /// <summary>The pod manifest, if it is a valid one; else null.</summary>
    public PodManifest? Pod { get; }

    /// <summary>The kind in words: <c>image manifest</c>, <c>pod manifest</c> or <c>manifest</c>.</summary>
    public string KindName => Kind switch
    {
        ManifestKind.Image => "image manifest",
        ManifestKind.Pod => "pod manifest",
        _ => "manifest",
    };

    /// <summary>The canonical JSON of the manifest.</summary>
    /// <param name="indented">Whether to lay it out over lines, four spaces a level.</param>
    /// <exception cref="ManifestException">The manifest is not valid.</exception>
    public string ToJson(bool indented = false)
    {
        ThrowIfInvalid();
        return Image?.ToJson(indented) ?? Pod!.ToJson(indented);
    }

    /// <summary>Throws if there is a fault.</summary>
    /// <returns>This report.</returns>
    /// <exception cref="ManifestException">The manifest is not valid; <see cref="ManifestException.Findings"/> has every fault.</exception>
    public ManifestReport ThrowIfInvalid() => IsValid ? this : throw new ManifestException(KindName, Findings);
}
