using System.Globalization;

namespace Appc.Manifests.Json;

// What several parts of the manifests have in common.
internal static partial class ManifestRules
{
    private static void Required(object? value, string member, FindingList findings, string section)
    {
        if (value is null)
        {
            findings.AddHere(member, null, "required", $"the member '{member}' is required", section);
        }
    }

    /// <summary>Whether there is a text; it may be empty only where <paramref name="mayBeEmpty"/>.</summary>
    private static bool RequiredText(string? value, string member, FindingList findings, string section, bool mayBeEmpty = false)
    {
        Required(value, member, findings, section);
        if (value is { Length: 0 } && !mayBeEmpty)
        {
            findings.AddHere(member, "\"\"", "required", "must not be empty", section);
        }

        return value is { Length: > 0 };
    }

    private static void Nested<T>(string member, T? value, FindingList findings, string section, ItemRule<T> rule)
        where T : class
    {
        if (value is not null)
        {
            findings.Push(member);
            rule(value, findings, section);
            findings.Pop();
        }
    }

    private static void Each<T>(string member, IReadOnlyList<T> items, FindingList findings, string section, ItemRule<T> rule)
        where T : class
    {
        if (items.Count == 0)
        {
            return;
        }

        findings.Push(member);
        for (int index = 0; index < items.Count; index++)
        {
            findings.Push(index);
            if (items[index] is not null)
            {
                rule(items[index], findings, section);
            }
            else if (findings.Source is null)
            {
                // In what was read, this stands for an item whose fault has been reported.
                findings.AddHere(null, "null", "wrong-type", "must not be null", section);
            }

            findings.Pop();
        }

        findings.Pop();
    }

    /// <summary>Reports each item whose key an earlier one has. Null keys are another rule's business.</summary>
    private static void Unique<T>(string member, IReadOnlyList<T> items, Func<T, string?> key, string keyMember, string rule, FindingList findings, string section)
        where T : class
    {
        if (items.Count < 2)
        {
            return;
        }

        // A short list is sooner compared with itself than put into a set.
        HashSet<string>? seen = items.Count > 8 ? new(items.Count, StringComparer.Ordinal) : null;
        findings.Push(member);
        for (int index = 0; index < items.Count; index++)
        {
            if (items[index] is { } item && key(item) is { } name && !(seen?.Add(name) ?? IsFirst(items, index, key, name)))
            {
                findings.Push(index);
                findings.AddHere(keyMember, Quoted(name), rule, "occurs twice in the list", section);
                findings.Pop();
            }
        }

        findings.Pop();
    }

    private static bool IsFirst<T>(IReadOnlyList<T> items, int index, Func<T, string?> key, string name)
        where T : class
    {
        for (int earlier = 0; earlier < index; earlier++)
        {
            if (items[earlier] is { } item && key(item) == name)
            {
                return false;
            }
        }

        return true;
    }

    private static void Version(string? version, FindingList findings)
    {
        if (RequiredText(version, "acVersion", findings, SpecSections.Version) && SemVer.FaultOf(version!) is { } fault)
        {
            findings.AddHere("acVersion", Quoted(version!), "bad-version", "not an AC Version: " + fault, SpecSections.Version);
        }
    }

    private static void Labels(IReadOnlyList<Label> labels, FindingList findings, string section)
    {
        Each("labels", labels, findings, section, CheckLabel);
        Unique("labels", labels, static label => label.Name?.ToString(), "name", "duplicate-label", findings, section);
        Label? os = Find(labels, "os");
        if (os?.Value is null)
        {
            // Without an os the architecture says nothing that could be checked.
            return;
        }

        Label? architecture = Find(labels, "arch");
        if (!OsArch.IsKnownOs(os.Value))
        {
            OfLabel(labels, os, "bad-os", $"must be one of {OsArch.KnownOsText}", findings, section);
        }
        else if (architecture?.Value is not null && !OsArch.IsKnown(os.Value, architecture.Value))
        {
            OfLabel(labels, architecture, "bad-arch", $"must be one of {OsArch.KnownArchText(os.Value)} with this os", findings, section);
        }
    }

    private static Label? Find(IReadOnlyList<Label> labels, string name)
    {
        for (int index = 0; index < labels.Count; index++)
        {
            if (labels[index]?.Name?.ToString() == name)
            {
                return labels[index];
            }
        }

        return null;
    }

    private static void OfLabel(IReadOnlyList<Label> labels, Label label, string rule, string message, FindingList findings, string section)
    {
        int index = 0;
        while (!ReferenceEquals(labels[index], label))
        {
            index++;
        }

        findings.Push("labels");
        findings.Push(index);
        findings.AddHere("value", Quoted(label.Value), rule, message, section);
        findings.Pop();
        findings.Pop();
    }

    private static void CheckLabel(Label label, FindingList findings, string section)
    {
        Required(label.Name, "name", findings, section);
        Required(label.Value, "value", findings, section);
        if (label.Name?.ToString() == "name")
        {
            findings.AddHere("name", "\"name\"", "reserved-label-name", "a label cannot be called 'name'", section);
        }

        Unknown(label.UnknownMembers, MemberNames.NameAndValue, findings);
    }

    private static void Annotations(IReadOnlyList<Annotation> annotations, FindingList findings, string section)
    {
        Each("annotations", annotations, findings, section, CheckAnnotation);
        Unique("annotations", annotations, static annotation => annotation.Name?.ToString(), "name", "duplicate-annotation", findings, section);
    }

    private static void CheckAnnotation(Annotation annotation, FindingList findings, string section)
    {
        Required(annotation.Name, "name", findings, section);
        Required(annotation.Value, "value", findings, section);
        if (annotation.Value is { } value)
        {
            switch (annotation.Name?.ToString())
            {
                case "created" when Timestamp.FaultOf(value) is { } fault:
                    findings.AddHere("value", Quoted(value), "bad-date", "not an RFC 3339 date and time: " + fault, SpecSections.Timestamp);
                    break;
                case "homepage" or "documentation" when WebAddress.FaultOf(value) is { } fault:
                    findings.AddHere("value", Quoted(value), "bad-url", "not an HTTP or HTTPS URL: " + fault, section);
                    break;
                default:
                    break;
            }
        }

        Unknown(annotation.UnknownMembers, MemberNames.NameAndValue, findings);
    }

    private static void TextMap(string member, IReadOnlyList<KeyValuePair<string, string>> entries, FindingList findings, string section)
    {
        if (entries.Count == 0)
        {
            return;
        }

        HashSet<string> seen = new(entries.Count, StringComparer.Ordinal);
        findings.Push(member);
        foreach ((string key, string value) in entries)
        {
            if (key is null)
            {
                findings.AddHere(null, null, "required", "a key must not be null", section);
            }
            else if (!seen.Add(key))
            {
                findings.AddHere(key, null, "duplicate-member", "the member occurs twice in its object", SpecSections.Json);
            }
            else if (value is null)
            {
                findings.AddHere(key, "null", "wrong-type", "must be a string", section);
            }
        }

        findings.Pop();
    }

    /// <summary>Unknown members that were read are sound; those put in by code might clash with each other or be no JSON.</summary>
    private static void Unknown(IReadOnlyList<UnknownMember> members, string[] known, FindingList findings)
    {
        if (members.Count == 0 || findings.Source is not null)
        {
            return;
        }

        HashSet<string> seen = new(known, StringComparer.Ordinal);
        foreach (UnknownMember member in members)
        {
            if (member?.Name is null || member.ValueJson is null)
            {
                findings.AddHere(null, null, "required", "an unknown member must have a name and a value", SpecSections.Json);
                continue;
            }

            if (!seen.Add(member.Name))
            {
                findings.AddHere(member.Name, null, "duplicate-member", "the member occurs twice in its object", SpecSections.Json);
            }

            FindingList inner = new(1);
            using JsonTable? table = JsonTable.Read(ManifestText.ToUtf8(member.ValueJson), ManifestLimits.None, inner);
            if (table is null)
            {
                findings.AddHere(member.Name, member.ValueJson, "syntax", inner.Findings[0].Message, SpecSections.Json);
            }
        }
    }

    private static string Quoted(string value) => "\"" + ShownText.Shorten(value) + "\"";

    private static string? Shown(long? value) => value?.ToString(CultureInfo.InvariantCulture);
}
