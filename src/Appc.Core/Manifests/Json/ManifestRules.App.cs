using System.Buffers;

namespace Appc.Manifests.Json;

// The app of an image, which a pod can have its own of.
internal static partial class ManifestRules
{
    private static readonly SearchValues<char> s_variableName =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    private static void CheckApp(App app, FindingList findings, string section)
    {
        RequiredText(app.User, "user", findings, section);
        RequiredText(app.Group, "group", findings, section);
        for (int index = 0; index < app.SupplementaryGids.Count; index++)
        {
            if (app.SupplementaryGids[index] < 0)
            {
                findings.Push("supplementaryGIDs");
                findings.Push(index);
                findings.AddHere(null, Shown(app.SupplementaryGids[index]), "out-of-range", "must not be negative", section);
                findings.Pop();
                findings.Pop();
            }
        }

        if (app.WorkingDirectory.Length > 0 && app.WorkingDirectory[0] != '/')
        {
            findings.AddHere("workingDirectory", Quoted(app.WorkingDirectory), "relative-working-directory", "must be an absolute path", section);
        }

        Each("exec", app.Exec, findings, section, static (_, _, _) => { });
        Each("eventHandlers", app.EventHandlers, findings, section, CheckEventHandler);
        Unique("eventHandlers", app.EventHandlers, static handler => handler.Name, "name", "duplicate-event-handler", findings, section);
        Each("environment", app.Environment, findings, section, CheckVariable);
        Unique("environment", app.Environment, static variable => variable.Name, "name", "duplicate-environment", findings, section);
        Each("mountPoints", app.MountPoints, findings, section, CheckMountPoint);
        Each("ports", app.Ports, findings, section, CheckPort);
        Isolators(app.Isolators, findings);
        TextMap("userAnnotations", app.UserAnnotations, findings, section);
        TextMap("userLabels", app.UserLabels, findings, section);
        Unknown(app.UnknownMembers, MemberNames.App, findings);
    }

    private static void CheckEventHandler(EventHandlerSpec handler, FindingList findings, string section)
    {
        if (RequiredText(handler.Name, "name", findings, section) && handler.Name is not ("pre-start" or "post-stop"))
        {
            findings.AddHere("name", Quoted(handler.Name), "bad-event-handler", "must be 'pre-start' or 'post-stop'", section);
        }

        Each("exec", handler.Exec, findings, section, static (_, _, _) => { });
        Unknown(handler.UnknownMembers, MemberNames.EventHandler, findings);
    }

    private static void CheckVariable(EnvironmentVariable variable, FindingList findings, string section)
    {
        Required(variable.Value, "value", findings, section);
        if (RequiredText(variable.Name, "name", findings, section))
        {
            string name = variable.Name;
            bool valid = (char.IsAsciiLetter(name[0]) || name[0] == '_') && !name.AsSpan().ContainsAnyExcept(s_variableName);
            if (!valid)
            {
                findings.AddHere("name", Quoted(name), "bad-environment-name", "must begin with a letter or '_' and go on with letters, digits, '_', '.' and '-'", section);
            }
        }

        Unknown(variable.UnknownMembers, MemberNames.NameAndValue, findings);
    }

    private static void CheckMountPoint(MountPoint point, FindingList findings, string section)
    {
        Required(point.Name, "name", findings, section);
        RequiredText(point.Path, "path", findings, section);
        Unknown(point.UnknownMembers, MemberNames.MountPoint, findings);
    }

    private static void CheckPort(Port port, FindingList findings, string section)
    {
        Required(port.Name, "name", findings, section);
        Required(port.Protocol, "protocol", findings, section);
        if (port.Number is < 1 or > 65535)
        {
            findings.AddHere("port", Shown(port.Number), "out-of-range", "must be from 1 to 65535", section);
        }
        else if (port.Count < 1)
        {
            findings.AddHere("count", Shown(port.Count), "out-of-range", "must be at least 1", section);
        }
        else if (port.Number + (long)port.Count > 65536)
        {
            findings.AddHere("count", Shown(port.Count), "out-of-range", "the range of ports goes beyond 65535", section);
        }

        Unknown(port.UnknownMembers, MemberNames.Port, findings);
    }

    private static void Isolators(IReadOnlyList<Isolator> isolators, FindingList findings)
    {
        Each("isolators", isolators, findings, SpecSections.IsolatorType, CheckIsolator);
        if (isolators.Count < 2)
        {
            return;
        }

        HashSet<string> seen = new(isolators.Count, StringComparer.Ordinal);
        findings.Push("isolators");
        for (int index = 0; index < isolators.Count; index++)
        {
            if (isolators[index]?.Name.ToString() is not { } name)
            {
                continue;
            }

            findings.Push(index);
            if (!seen.Add(name) && KnownIsolators.IsSingle(name))
            {
                findings.AddHere("name", Quoted(name), "duplicate-isolator", "a list can have only one isolator of this name", SpecSections.LinuxIsolators);
            }

            if (KnownIsolators.ConflictOf(name) is { } other && seen.Contains(other))
            {
                findings.AddHere("name", Quoted(name), "conflicting-isolators", $"cannot be used together with {other}", SpecSections.LinuxIsolators);
            }

            findings.Pop();
        }

        findings.Pop();
    }

    private static void CheckIsolator(Isolator isolator, FindingList findings, string section)
    {
        if (findings.Source is null && isolator.GetType() == typeof(Isolator))
        {
            // Made in code without its derived record, which would have been checked.
            FindingList inner = new(1);
            if (Isolator.Read(isolator.Name, isolator.ValueJson, inner) is null)
            {
                findings.AddHere("value", isolator.ValueJson, inner.Findings[0].Rule, inner.Findings[0].Message, inner.Findings[0].SpecSection);
            }
        }

        Unknown(isolator.UnknownMembers, MemberNames.NameAndValue, findings);
    }
}
