using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>A variable of an app's environment. See <c>aci.md: Image Manifest Schema</c>.</summary>
/// <param name="Name">Letters, digits, <c>_</c>, <c>.</c> and <c>-</c>; the first is a letter or <c>_</c>.</param>
/// <param name="Value">Any text; nothing in it is substituted.</param>
public sealed record EnvironmentVariable(string Name, string Value)
{
    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
