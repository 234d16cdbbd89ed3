using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>The manifest of a pod. See <c>pods.md: Pod Manifest Schema</c>.</summary>
public sealed partial record PodManifest
{
    /// <summary>Version of the specification that the manifest follows.</summary>
    /// <value><see cref="Manifest.SpecificationVersion"/>.</value>
    public string AcVersion { get; init; } = Manifest.SpecificationVersion;

    /// <summary>The apps; each name once.</summary>
    public IReadOnlyList<RuntimeApp> Apps { get; init => field = ValueList<RuntimeApp>.Of(value); } = ValueList<RuntimeApp>.Empty;

    /// <summary>Volumes that the apps can mount; each name once.</summary>
    public IReadOnlyList<Volume> Volumes { get; init => field = ValueList<Volume>.Of(value); } = ValueList<Volume>.Empty;

    /// <summary>What the pod as a whole is confined by.</summary>
    public IReadOnlyList<Isolator> Isolators { get; init => field = ValueList<Isolator>.Of(value); } = ValueList<Isolator>.Empty;

    /// <summary>Annotations; each name once.</summary>
    public IReadOnlyList<Annotation> Annotations { get; init => field = ValueList<Annotation>.Of(value); } = ValueList<Annotation>.Empty;

    /// <summary>Ports of the apps that are reachable from outside.</summary>
    public IReadOnlyList<ExposedPort> Ports { get; init => field = ValueList<ExposedPort>.Of(value); } = ValueList<ExposedPort>.Empty;

    /// <summary>Data for people, with any text as a key; no effect on how the pod runs.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserAnnotations { get; init => field = ValueList<KeyValuePair<string, string>>.Of(value); } = ValueList<KeyValuePair<string, string>>.Empty;

    /// <summary>Labels for people, with any text as a key; no effect on how the pod runs.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserLabels { get; init => field = ValueList<KeyValuePair<string, string>>.Of(value); } = ValueList<KeyValuePair<string, string>>.Empty;

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;

    /// <summary>Reads a manifest.</summary>
    /// <param name="utf8">The document, in UTF-8 without a byte order mark.</param>
    /// <exception cref="ManifestException">It is not a valid pod manifest; <see cref="ManifestException.Findings"/> has every fault.</exception>
    public static PodManifest Parse(byte[] utf8) => Parse(utf8, null);

    /// <summary>Reads a manifest.</summary>
    /// <param name="utf8">The document, in UTF-8 without a byte order mark.</param>
    /// <param name="limits">Bounds on the document; null for the default ones.</param>
    /// <exception cref="ManifestException">It is not a valid pod manifest; <see cref="ManifestException.Findings"/> has every fault.</exception>
    public static PodManifest Parse(byte[] utf8, ManifestLimits? limits) =>
        Manifest.Validate(utf8, ManifestKind.Pod, limits).ThrowIfInvalid().Pod!;

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="ManifestException">It is not a valid pod manifest; <see cref="ManifestException.Findings"/> has every fault.</exception>
    public static PodManifest Parse(string json) => Parse(ManifestText.ToUtf8(json), null);

    /// <summary>Every fault of this manifest; empty if it can be written.</summary>
    public IReadOnlyList<ManifestFinding> Validate() => ManifestRules.Check(this);

    /// <summary>Writes the canonical JSON: members in a fixed order, none that says nothing, no white space.</summary>
    /// <exception cref="ManifestException">The manifest was made in code and is not valid.</exception>
    public byte[] ToJsonBytes() => ManifestText.ToBytes("pod manifest", Validate(), writer => writer.Write(this));

    /// <summary>Writes the canonical JSON as text.</summary>
    /// <param name="indented">Whether to lay it out over lines, four spaces a level.</param>
    /// <exception cref="ManifestException">The manifest was made in code and is not valid.</exception>
    public string ToJson(bool indented = false) => ManifestText.ToText(ToJsonBytes(), indented);
}
