using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>The manifest of an image. See <c>aci.md: Image Manifest Schema</c>.</summary>
public sealed partial record ImageManifest
{
    /// <summary>Version of the specification that the manifest follows.</summary>
    /// <value><see cref="Manifest.SpecificationVersion"/>.</value>
    public string AcVersion { get; init; } = Manifest.SpecificationVersion;

    /// <summary>Name of the image; required.</summary>
    public AcIdentifier Name { get; init; } = null!;

    /// <summary>Labels; each name once.</summary>
    public IReadOnlyList<Label> Labels { get; init => field = ValueList<Label>.Of(value); } = ValueList<Label>.Empty;

    /// <summary>How to run the image; null for one that only others depend on.</summary>
    public App? App { get; init; }

    /// <summary>Images that this one is laid over, in the order in which they are laid down.</summary>
    public IReadOnlyList<Dependency> Dependencies { get; init => field = ValueList<Dependency>.Of(value); } = ValueList<Dependency>.Empty;

    /// <summary>Absolute paths that exist in the rendered tree; empty means all.</summary>
    public IReadOnlyList<string> PathWhitelist { get; init => field = ValueList<string>.Of(value); } = ValueList<string>.Empty;

    /// <summary>Annotations; each name once.</summary>
    public IReadOnlyList<Annotation> Annotations { get; init => field = ValueList<Annotation>.Of(value); } = ValueList<Annotation>.Empty;

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;

    /// <summary>The value of a label, or null if there is none of this name.</summary>
    public string? GetLabel(string name)
    {
        foreach (Label label in Labels)
        {
            if (label.Name.ToString() == name)
            {
                return label.Value;
            }
        }

        return null;
    }

    /// <summary>The value of an annotation, or null if there is none of this name.</summary>
    public string? GetAnnotation(string name)
    {
        foreach (Annotation annotation in Annotations)
        {
            if (annotation.Name.ToString() == name)
            {
                return annotation.Value;
            }
        }

        return null;
    }

    /// <summary>Reads a manifest.</summary>
    /// <param name="utf8">The document, in UTF-8 without a byte order mark.</param>
    /// <exception cref="ManifestException">It is not a valid image manifest; <see cref="ManifestException.Findings"/> has every fault.</exception>
    public static ImageManifest Parse(byte[] utf8) => Parse(utf8, null);

    /// <summary>Reads a manifest.</summary>
    /// <param name="utf8">The document, in UTF-8 without a byte order mark.</param>
    /// <param name="limits">Bounds on the document; null for the default ones.</param>
    /// <exception cref="ManifestException">It is not a valid image manifest; <see cref="ManifestException.Findings"/> has every fault.</exception>
    public static ImageManifest Parse(byte[] utf8, ManifestLimits? limits) =>
        Manifest.Validate(utf8, ManifestKind.Image, limits).ThrowIfInvalid().Image!;

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="ManifestException">It is not a valid image manifest; <see cref="ManifestException.Findings"/> has every fault.</exception>
    public static ImageManifest Parse(string json) => Parse(ManifestText.ToUtf8(json), null);

    /// <summary>Every fault of this manifest; empty if it can be written.</summary>
    public IReadOnlyList<ManifestFinding> Validate() => ManifestRules.Check(this);

    /// <summary>Writes the canonical JSON: members in a fixed order, none that says nothing, no white space.</summary>
    /// <exception cref="ManifestException">The manifest was made in code and is not valid.</exception>
    public byte[] ToJsonBytes() => ManifestText.ToBytes("image manifest", Validate(), writer => writer.Write(this));

    /// <summary>Writes the canonical JSON as text.</summary>
    /// <param name="indented">Whether to lay it out over lines, four spaces a level.</param>
    /// <exception cref="ManifestException">The manifest was made in code and is not valid.</exception>
    public string ToJson(bool indented = false) => ManifestText.ToText(ToJsonBytes(), indented);
}
