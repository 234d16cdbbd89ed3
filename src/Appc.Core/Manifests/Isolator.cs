using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>
/// Something that an app or a pod is confined by: a name and a JSON value. See <c>types.md: Isolator Type</c>. Those
/// that the specification defines are derived records, which <see cref="Create(AcIdentifier, string)"/> and reading
/// a manifest give; others are kept as they are.
/// </summary>
public record Isolator
{
    /// <summary>Creates an isolator of any name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="valueJson">Its value as JSON text.</param>
    /// <exception cref="ManifestException">The value is not JSON.</exception>
    public Isolator(AcIdentifier name, string valueJson)
        : this(name, CheckedJson(valueJson), 0)
    {
    }

    /// <summary>For text that is known to be compact JSON.</summary>
    private protected Isolator(AcIdentifier name, string valueJson, int _)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        ValueJson = valueJson;
    }

    /// <summary>Name of the isolator.</summary>
    public AcIdentifier Name { get; }

    /// <summary>Its value as JSON text, as it was read but for white space between the tokens.</summary>
    public string ValueJson { get; }

    /// <summary>Members beside name and value, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;

    /// <summary>Creates an isolator of any name, as its derived record where the name is one that the specification defines.</summary>
    /// <exception cref="ManifestException">The value is not JSON, or not one that this isolator can have.</exception>
    public static Isolator Create(AcIdentifier name, string valueJson)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new Isolator(name, valueJson);
    }

    private static string CheckedJson(string valueJson)
    {
        ArgumentNullException.ThrowIfNull(valueJson);
        FindingList findings = new(1);
        using JsonTable? table = JsonTable.Read(ManifestText.ToUtf8(valueJson), new ManifestLimits(), findings);
        return table is null ? throw new ManifestException("isolator value", findings.Findings) : table.Root.GetCompactJson();
    }
}
