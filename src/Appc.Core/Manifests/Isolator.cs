using System.Text.Json;
using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>
/// Something that an app or a pod is confined by: a name and a JSON value. See <c>types.md: Isolator Type</c>. Those
/// that <see cref="IsolatorNames"/> lists are derived records, which <see cref="Create(AcIdentifier, string)"/> and
/// reading a manifest give; others are kept as they are.
/// </summary>
public record Isolator
{
    /// <summary>Creates an isolator of any name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="valueJson">Its value as JSON text.</param>
    /// <exception cref="ManifestException">The value is not JSON.</exception>
    public Isolator(AcIdentifier name, string valueJson)
        : this(Checked(name, valueJson))
    {
    }

    private protected Isolator(IsolatorSource source)
    {
        Name = source.Name;
        ValueJson = source.ValueJson;
    }

    /// <summary>For derived records that are made in code. The value is judged by what judges values that are read.</summary>
    private protected Isolator(string name, Action<Utf8JsonWriter> writeValue)
        : this(new IsolatorSource(AcIdentifier.Parse(name), IsolatorJson.Write(writeValue))) => Read(Name, ValueJson);

    /// <summary>Name of the isolator.</summary>
    public AcIdentifier Name { get; }

    /// <summary>Its value as JSON text, as it was read but for white space between the tokens.</summary>
    public string ValueJson { get; }

    /// <summary>Members beside name and value, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;

    /// <summary>Creates an isolator of any name, as its derived record where <see cref="IsolatorNames"/> has the name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="valueJson">Its value as JSON text.</param>
    /// <exception cref="ManifestException">The value is not JSON, or not one that this isolator can have.</exception>
    public static Isolator Create(AcIdentifier name, string valueJson)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(valueJson);
        return Read(name, valueJson);
    }

    /// <summary>Creates an isolator of any name, as its derived record where <see cref="IsolatorNames"/> has the name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="valueJson">Its value as JSON text.</param>
    /// <exception cref="ManifestException">The name is not an AC Identifier, or the value is not JSON, or not one that this isolator can have.</exception>
    public static Isolator Create(string name, string valueJson) => Create(AcIdentifier.Parse(name), valueJson);

    /// <summary>Faults of the value, as an isolator of the name can have it.</summary>
    internal static Isolator? Read(AcIdentifier name, string valueJson, FindingList findings)
    {
        using JsonTable? table = JsonTable.Read(ManifestText.ToUtf8(valueJson), ManifestLimits.None, findings);
        return table is null ? null : new ManifestReader(findings).ReadIsolatorValue(name, table.Root);
    }

    internal static Isolator OfSource(IsolatorSource source) => new(source);

    private static Isolator Read(AcIdentifier name, string valueJson)
    {
        FindingList findings = new(16);
        return Read(name, valueJson, findings) ?? throw new ManifestException($"value of isolator {name}", findings.Findings);
    }

    private static IsolatorSource Checked(AcIdentifier name, string valueJson)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(valueJson);
        FindingList findings = new(1);
        using JsonTable? table = JsonTable.Read(ManifestText.ToUtf8(valueJson), ManifestLimits.None, findings);
        return table is null
            ? throw new ManifestException($"value of isolator {name}", findings.Findings)
            : new IsolatorSource(name, table.Root.GetCompactJson());
    }
}
