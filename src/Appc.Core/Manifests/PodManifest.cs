namespace Appc.Manifests;

/// <summary>The manifest of a pod.</summary>
public sealed record PodManifest
{
    /// <summary>Version of the schema.</summary>
    public string AcVersion { get; init; } = "0.8.11";
    /// <summary>Apps.</summary>
    public IReadOnlyList<RuntimeApp> Apps { get; init; } = [];
    /// <summary>Volumes.</summary>
    public IReadOnlyList<Volume> Volumes { get; init; } = [];
    /// <summary>Isolators of the whole pod.</summary>
    public IReadOnlyList<Isolator> Isolators { get; init; } = [];
    /// <summary>Annotations.</summary>
    public IReadOnlyList<Annotation> Annotations { get; init; } = [];
    /// <summary>Exposed ports.</summary>
    public IReadOnlyList<ExposedPort> Ports { get; init; } = [];
    /// <summary>User annotations.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserAnnotations { get; init; } = [];
    /// <summary>User labels.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserLabels { get; init; } = [];
    /// <summary>Reads a manifest.</summary>
    public static PodManifest Parse(byte[] utf8) => throw new NotImplementedException();
    /// <summary>Reads a manifest.</summary>
    public static PodManifest Parse(string json) => throw new NotImplementedException();
    /// <summary>Writes the canonical JSON.</summary>
    public byte[] ToJsonBytes() => throw new NotImplementedException();
    /// <summary>Writes the canonical JSON.</summary>
    public string ToJson(bool indented = false) => throw new NotImplementedException();
}
/// <summary>An app of a pod.</summary>
public sealed record RuntimeApp
{
    /// <summary>Name in the pod.</summary>
    public AcName Name { get; init; } = null!;
    /// <summary>The image.</summary>
    public RuntimeImage Image { get; init; } = null!;
    /// <summary>Overrides the image's app; null means the image's own.</summary>
    public App? App { get; init; }
    /// <summary>Whether the root file system is read-only.</summary>
    public bool ReadOnlyRootFs { get; init; }
    /// <summary>Mounts.</summary>
    public IReadOnlyList<Mount> Mounts { get; init; } = [];
    /// <summary>Annotations.</summary>
    public IReadOnlyList<Annotation> Annotations { get; init; } = [];
}
/// <summary>The image of an app.</summary>
public sealed record RuntimeImage
{
    /// <summary>Id.</summary>
    public ImageId Id { get; init; } = null!;
    /// <summary>Name, or null.</summary>
    public AcIdentifier? Name { get; init; }
    /// <summary>Labels.</summary>
    public IReadOnlyList<Label> Labels { get; init; } = [];
}
/// <summary>Which volume is mounted where in an app.</summary>
public sealed record Mount(AcName Volume, string Path);
/// <summary>Kind of a volume.</summary>
public enum VolumeKind
{
    /// <summary>An empty directory that lives as long as the pod.</summary>
    Empty,
    /// <summary>A directory or file of the host.</summary>
    Host,
}
/// <summary>A volume.</summary>
public sealed record Volume
{
    /// <summary>Name.</summary>
    public AcName Name { get; init; } = null!;
    /// <summary>Kind.</summary>
    public VolumeKind Kind { get; init; }
    /// <summary>Source on the host; null for empty volumes.</summary>
    public string? Source { get; init; }
    /// <summary>Read-only; null means not said.</summary>
    public bool? ReadOnly { get; init; }
    /// <summary>Recursive; null means not said.</summary>
    public bool? Recursive { get; init; }
    /// <summary>Mode of an empty volume, octal text; null means 0755.</summary>
    public string? Mode { get; init; }
    /// <summary>Owner of an empty volume.</summary>
    public int? Uid { get; init; }
    /// <summary>Group of an empty volume.</summary>
    public int? Gid { get; init; }
}
/// <summary>An exposed port.</summary>
public sealed record ExposedPort
{
    /// <summary>Name.</summary>
    public AcName Name { get; init; } = null!;
    /// <summary>Port of the host.</summary>
    public int HostPort { get; init; }
    /// <summary>Address of the host, or null.</summary>
    public string? HostIp { get; init; }
}
