using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>An image that another one is laid over. See <c>aci.md: Image Manifest Schema</c>.</summary>
public sealed record Dependency
{
    /// <summary>Name of the image; required.</summary>
    public AcIdentifier ImageName { get; init; } = null!;

    /// <summary>Id that the image must have; null if any will do.</summary>
    public ImageId? ImageId { get; init; }

    /// <summary>Labels that the image must have.</summary>
    public IReadOnlyList<Label> Labels { get; init => field = ValueList<Label>.Of(value); } = ValueList<Label>.Empty;

    /// <summary>Size of the image in bytes; null if it is not said, as which 0 counts too.</summary>
    public long? Size { get; init => field = value == 0 ? null : value; }

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
