using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>How an image is run as an app. See <c>aci.md: Image Manifest Schema</c>.</summary>
public sealed record App
{
    /// <summary>The program and its arguments; may be empty, for the executor to fill in.</summary>
    public IReadOnlyList<string> Exec { get; init => field = ValueList<string>.Of(value); } = ValueList<string>.Empty;

    /// <summary>User to run as: a name, a number, or an absolute path in the image whose owner is meant.</summary>
    /// <value><c>0</c>.</value>
    public string User { get; init; } = "0";

    /// <summary>Group to run as: a name, a number, or an absolute path in the image whose group is meant.</summary>
    /// <value><c>0</c>.</value>
    public string Group { get; init; } = "0";

    /// <summary>Numbers of further groups; not negative.</summary>
    public IReadOnlyList<long> SupplementaryGids { get; init => field = ValueList<long>.Of(value); } = ValueList<long>.Empty;

    /// <summary>Programs to run before and after the app: at most one <c>pre-start</c> and one <c>post-stop</c>.</summary>
    public IReadOnlyList<EventHandlerSpec> EventHandlers { get; init => field = ValueList<EventHandlerSpec>.Of(value); } = ValueList<EventHandlerSpec>.Empty;

    /// <summary>Absolute path of the working directory; empty means <c>/</c>.</summary>
    public string WorkingDirectory { get; init => field = value ?? ""; } = "";

    /// <summary>Environment variables; each name once.</summary>
    public IReadOnlyList<EnvironmentVariable> Environment { get; init => field = ValueList<EnvironmentVariable>.Of(value); } = ValueList<EnvironmentVariable>.Empty;

    /// <summary>Places where the app expects volumes.</summary>
    public IReadOnlyList<MountPoint> MountPoints { get; init => field = ValueList<MountPoint>.Of(value); } = ValueList<MountPoint>.Empty;

    /// <summary>Ports that the app listens on.</summary>
    public IReadOnlyList<Port> Ports { get; init => field = ValueList<Port>.Of(value); } = ValueList<Port>.Empty;

    /// <summary>What the app is confined by. Known ones are records derived from <see cref="Isolator"/>.</summary>
    public IReadOnlyList<Isolator> Isolators { get; init => field = ValueList<Isolator>.Of(value); } = ValueList<Isolator>.Empty;

    /// <summary>Data for people, with any text as a key; no effect on how the app runs.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserAnnotations { get; init => field = ValueList<KeyValuePair<string, string>>.Of(value); } = ValueList<KeyValuePair<string, string>>.Empty;

    /// <summary>Labels for people, with any text as a key; no effect on how the app runs.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserLabels { get; init => field = ValueList<KeyValuePair<string, string>>.Of(value); } = ValueList<KeyValuePair<string, string>>.Empty;

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
