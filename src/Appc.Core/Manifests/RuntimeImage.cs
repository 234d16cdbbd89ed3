using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>The image of an app of a pod. See <c>pods.md: Pod Manifest Schema</c>.</summary>
public sealed record RuntimeImage
{
    /// <summary>Id of the image; required.</summary>
    public ImageId Id { get; init; } = null!;

    /// <summary>Name of the image, or null.</summary>
    public AcIdentifier? Name { get; init; }

    /// <summary>Labels of the image; each name once.</summary>
    public IReadOnlyList<Label> Labels { get; init => field = ValueList<Label>.Of(value); } = ValueList<Label>.Empty;

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
