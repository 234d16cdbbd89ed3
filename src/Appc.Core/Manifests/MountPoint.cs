using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>A place in an image where a volume is expected. See <c>aci.md: Image Manifest Schema</c>.</summary>
/// <param name="Name">What the place is called; a volume of this name fulfils it.</param>
/// <param name="Path">Path in the image.</param>
/// <param name="ReadOnly">Whether the app only reads there.</param>
public sealed partial record MountPoint(AcName Name, string Path, bool ReadOnly = false)
{
    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
