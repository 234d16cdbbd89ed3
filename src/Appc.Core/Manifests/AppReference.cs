using System.Diagnostics.CodeAnalysis;
using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>
/// Which image is meant, by name and labels: <c>NAME[:VERSION][,LABEL=VALUE...]</c>, as on a command line. See
/// <c>discovery.md</c> for what becomes of it.
/// </summary>
public sealed record AppReference
{
    /// <summary>Creates a reference.</summary>
    /// <param name="name">Name of the image.</param>
    /// <param name="labels">Labels that it must have.</param>
    public AppReference(AcIdentifier name, params IReadOnlyList<Label> labels)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        Labels = ValueList<Label>.Of(labels);
    }

    /// <summary>Name of the image.</summary>
    public AcIdentifier Name { get; }

    /// <summary>Labels that the image must have, in the order of the text; a version first.</summary>
    public IReadOnlyList<Label> Labels { get; }

    /// <summary>Value of the label <c>version</c>, or null.</summary>
    public string? Version => Labels.FirstOrDefault(static label => label.Name.ToString() == "version")?.Value;

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static AppReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int comma = text.IndexOf(',', StringComparison.Ordinal);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string head = comma < 0 ? text : text[..comma];
        string expanded = colon < 0 || colon >= head.Length ? text : $"{head[..colon]},version={text[(colon + 1)..]}";
        PairText pairs = PairText.Parse("image name with labels", expanded, "name");
        if (text.LastIndexOf(':') != colon || (colon >= 0 && colon > head.Length))
        {
            throw pairs.Fault("a colon may stand only once, between name and version");
        }

        AcIdentifier name = pairs.Read(pairs.Pairs[0].Value, AcIdentifier.Parse);
        return new AppReference(name, [.. pairs.Pairs.Skip(1).Select(pair => new Label(pairs.Read(pair.Key, AcIdentifier.Parse), pair.Value))]);
    }

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AppReference? result)
    {
        result = null;
        if (text is null)
        {
            return false;
        }

        try
        {
            result = Parse(text);
            return true;
        }
        catch (ManifestException)
        {
            return false;
        }
    }

    /// <summary>The text form with every label, the version too, as <c>LABEL=VALUE</c>.</summary>
    public override string ToString() => string.Concat([Name.ToString(), .. Labels.Select(static label => $",{label.Name}={label.Value}")]);
}
