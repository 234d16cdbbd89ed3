using System.Globalization;

namespace Appc.Manifests;

/// <summary>One fault of a manifest.</summary>
/// <param name="Path">JSON path of the value, such as <c>$.app.ports[0].port</c>.</param>
/// <param name="Line">Line of the value in the document, from 1; 0 for an object made in code.</param>
/// <param name="Column">Column of the value in characters, from 1; 0 for an object made in code.</param>
/// <param name="Value">The value as it stands there, shortened and without control characters; null where there is none.</param>
/// <param name="Rule">Short name of the rule that is broken, such as <c>required</c> or <c>duplicate-label</c>; stable.</param>
/// <param name="Message">What is wrong, as one line.</param>
/// <param name="SpecSection">The part of the specification that has the rule, such as <c>pods.md: Pod Manifest Schema</c>; empty for a limit of this library.</param>
public sealed record ManifestFinding(string Path, int Line, int Column, string? Value, string Rule, string Message, string SpecSection)
{
    /// <summary>The finding as one line: where, what, and which value.</summary>
    public override string ToString()
    {
        string place = Line > 0 ? string.Create(CultureInfo.InvariantCulture, $" (line {Line}, column {Column})") : "";
        string value = Value is null ? "" : $", found {Value}";
        string section = SpecSection.Length > 0 ? $" [{SpecSection}]" : "";
        return $"{Path}{place}: {Message}{value}{section}";
    }
}
