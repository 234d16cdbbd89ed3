using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>Which volume is mounted where in an app. See <c>pods.md: Pod Manifest Schema</c>.</summary>
/// <param name="Volume">Name of one of the pod's volumes.</param>
/// <param name="Path">Path in the app's file system, as a rule that of a mount point.</param>
public sealed partial record Mount(AcName Volume, string Path)
{
    /// <summary>A volume for this mount alone, in place of the pod's one of that name; null for that one.</summary>
    public Volume? AppVolume { get; init; }

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
