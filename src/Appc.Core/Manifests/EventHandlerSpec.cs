using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>A program that is run when something happens to the app. See <c>aci.md: Image Manifest Schema</c>.</summary>
/// <param name="Name"><c>pre-start</c> or <c>post-stop</c>.</param>
/// <param name="Exec">The program and its arguments.</param>
public sealed record EventHandlerSpec(string Name, IReadOnlyList<string> Exec)
{
    /// <summary>The program and its arguments.</summary>
    public IReadOnlyList<string> Exec { get; init => field = ValueList<string>.Of(value); } = ValueList<string>.Of(Exec);

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
