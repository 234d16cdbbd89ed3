using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>Reads documents that are one manifest or the other.</summary>
public static class Manifest
{
    /// <summary>The version of the specification that this library follows.</summary>
    public const string SpecificationVersion = "0.8.11";

    /// <summary>Reads a document and reports every fault of it. Does not throw for anything the document says.</summary>
    /// <param name="utf8">The document, in UTF-8 without a byte order mark.</param>
    /// <param name="kind">The manifest that it must be; with <see cref="ManifestKind.Auto"/> its <c>acKind</c> decides.</param>
    /// <param name="limits">Bounds on the document; null for the default ones.</param>
    public static ManifestReport Validate(byte[] utf8, ManifestKind kind = ManifestKind.Auto, ManifestLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        limits ??= new ManifestLimits();
        FindingList findings = new(limits.MaxFindings);
        using JsonTable? table = JsonTable.Read(utf8, limits, findings);
        if (table is null)
        {
            return new ManifestReport(kind, findings.Findings, null, null);
        }

        findings.Source = table;
        return new ManifestReader(findings).Read(table.Root, kind);
    }

    /// <summary>Reads a document and reports every fault of it. Does not throw for anything the document says.</summary>
    /// <param name="json">The document.</param>
    /// <param name="kind">The manifest that it must be; with <see cref="ManifestKind.Auto"/> its <c>acKind</c> decides.</param>
    /// <param name="limits">Bounds on the document; null for the default ones.</param>
    public static ManifestReport Validate(string json, ManifestKind kind = ManifestKind.Auto, ManifestLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        return Validate(ManifestText.ToUtf8(json), kind, limits);
    }
}
