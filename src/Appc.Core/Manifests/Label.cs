using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>A label: what images are told apart by, beside their name (<c>version</c>, <c>os</c>, <c>arch</c>, ...). See <c>aci.md: Image Manifest Schema</c>.</summary>
/// <param name="Name">Name of the label; <c>name</c> is not allowed.</param>
/// <param name="Value">Any text.</param>
public sealed record Label(AcIdentifier Name, string Value)
{
    /// <summary>Creates a label from text.</summary>
    /// <exception cref="ManifestException">The name is not an AC Identifier.</exception>
    public Label(string name, string value)
        : this(AcIdentifier.Parse(name), value)
    {
    }

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
