using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>Metadata of an image, a pod or an app: a name and any text. See <c>aci.md: Image Manifest Schema</c>.</summary>
/// <param name="Name">Name of the annotation.</param>
/// <param name="Value">Its text; <c>created</c> is a date, <c>homepage</c> and <c>documentation</c> are HTTP URLs.</param>
public sealed record Annotation(AcIdentifier Name, string Value)
{
    /// <summary>Creates an annotation from text.</summary>
    /// <exception cref="ManifestException">The name is not an AC Identifier.</exception>
    public Annotation(string name, string value)
        : this(AcIdentifier.Parse(name), value)
    {
    }

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
