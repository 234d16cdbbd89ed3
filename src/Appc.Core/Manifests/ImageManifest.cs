namespace Appc.Manifests;

/// <summary>The manifest of an image.</summary>
public sealed record ImageManifest
{
    /// <summary>Version of the schema.</summary>
    public string AcVersion { get; init; } = "0.8.11";
    /// <summary>Name of the image.</summary>
    public AcIdentifier Name { get; init; } = null!;
    /// <summary>Labels, in the order of the document.</summary>
    public IReadOnlyList<Label> Labels { get; init; } = [];
    /// <summary>What to execute; null for an image that only others depend on.</summary>
    public App? App { get; init; }
    /// <summary>Images that this one is laid over.</summary>
    public IReadOnlyList<Dependency> Dependencies { get; init; } = [];
    /// <summary>Paths that exist in the rendered tree; empty means all.</summary>
    public IReadOnlyList<string> PathWhitelist { get; init; } = [];
    /// <summary>Annotations.</summary>
    public IReadOnlyList<Annotation> Annotations { get; init; } = [];
    /// <summary>Reads a manifest.</summary>
    public static ImageManifest Parse(byte[] utf8) => throw new NotImplementedException();
    /// <summary>Reads a manifest.</summary>
    public static ImageManifest Parse(string json) => throw new NotImplementedException();
    /// <summary>Writes the canonical JSON.</summary>
    public byte[] ToJsonBytes() => throw new NotImplementedException();
    /// <summary>Writes the canonical JSON.</summary>
    public string ToJson(bool indented = false) => throw new NotImplementedException();
    /// <summary>The value of a label, or null.</summary>
    public string? GetLabel(string name) => Labels.FirstOrDefault(l => l.Name.ToString() == name)?.Value;
}

/// <summary>A label.</summary>
public sealed record Label(AcIdentifier Name, string Value);
/// <summary>An annotation.</summary>
public sealed record Annotation(AcIdentifier Name, string Value);
/// <summary>An environment variable.</summary>
public sealed record EnvironmentVariable(string Name, string Value);
/// <summary>A dependency.</summary>
public sealed record Dependency
{
    /// <summary>Name.</summary>
    public AcIdentifier ImageName { get; init; } = null!;
    /// <summary>Id, or null.</summary>
    public ImageId? ImageId { get; init; }
    /// <summary>Labels.</summary>
    public IReadOnlyList<Label> Labels { get; init; } = [];
    /// <summary>Size in bytes, or null.</summary>
    public long? Size { get; init; }
}
/// <summary>What to execute.</summary>
public sealed record App
{
    /// <summary>Program and arguments.</summary>
    public IReadOnlyList<string> Exec { get; init; } = [];
    /// <summary>User: a number, a name, or an absolute path.</summary>
    public string User { get; init; } = "0";
    /// <summary>Group: a number, a name, or an absolute path.</summary>
    public string Group { get; init; } = "0";
    /// <summary>Supplementary group ids.</summary>
    public IReadOnlyList<int> SupplementaryGids { get; init; } = [];
    /// <summary>Event handlers.</summary>
    public IReadOnlyList<EventHandlerSpec> EventHandlers { get; init; } = [];
    /// <summary>Working directory; empty means /.</summary>
    public string WorkingDirectory { get; init; } = "";
    /// <summary>Environment.</summary>
    public IReadOnlyList<EnvironmentVariable> Environment { get; init; } = [];
    /// <summary>Mount points.</summary>
    public IReadOnlyList<MountPoint> MountPoints { get; init; } = [];
    /// <summary>Ports.</summary>
    public IReadOnlyList<Port> Ports { get; init; } = [];
    /// <summary>Isolators.</summary>
    public IReadOnlyList<Isolator> Isolators { get; init; } = [];
    /// <summary>User annotations.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserAnnotations { get; init; } = [];
    /// <summary>User labels.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserLabels { get; init; } = [];
}
/// <summary>An event handler.</summary>
public sealed record EventHandlerSpec(string Name, IReadOnlyList<string> Exec);
/// <summary>A mount point.</summary>
public sealed record MountPoint(AcName Name, string Path, bool ReadOnly = false);
/// <summary>A port.</summary>
public sealed record Port
{
    /// <summary>Name.</summary>
    public AcName Name { get; init; } = null!;
    /// <summary>Protocol.</summary>
    public string Protocol { get; init; } = "tcp";
    /// <summary>First port.</summary>
    public int Number { get; init; }
    /// <summary>Count.</summary>
    public int Count { get; init; } = 1;
    /// <summary>Socket activated.</summary>
    public bool SocketActivated { get; init; }
}
/// <summary>An isolator: its name and its JSON value, kept to the letter. Known ones are derived records.</summary>
public record Isolator(AcIdentifier Name, string ValueJson);
