using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>An app of a pod. See <c>pods.md: Pod Manifest Schema</c>.</summary>
public sealed record RuntimeApp
{
    /// <summary>Name of the app in its pod; required.</summary>
    public AcName Name { get; init; } = null!;

    /// <summary>The image that the app is run from; required.</summary>
    public RuntimeImage Image { get; init; } = null!;

    /// <summary>Stands in for the app of the image's own manifest, whole; null means that one.</summary>
    public App? App { get; init; }

    /// <summary>Whether the app's root file system is mounted read-only; <c>readOnlyRootFS</c> in JSON.</summary>
    public bool ReadOnlyRootFs { get; init; }

    /// <summary>Which volume is mounted where.</summary>
    public IReadOnlyList<Mount> Mounts { get; init => field = ValueList<Mount>.Of(value); } = ValueList<Mount>.Empty;

    /// <summary>Annotations, laid over the image's; each name once.</summary>
    public IReadOnlyList<Annotation> Annotations { get; init => field = ValueList<Annotation>.Of(value); } = ValueList<Annotation>.Empty;

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
