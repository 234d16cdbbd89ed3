using System.Globalization;

namespace Appc.Manifests.Json;

// Pod manifests.
internal static partial class ManifestRules
{
    public static void Check(PodManifest pod, FindingList findings)
    {
        const string section = SpecSections.Pod;
        Version(pod.AcVersion, findings);
        Each("apps", pod.Apps, findings, section, CheckRuntimeApp);
        Unique("apps", pod.Apps, static app => app.Name?.ToString(), "name", "duplicate-app", findings, section);
        PortNames(pod, findings);
        Each("volumes", pod.Volumes, findings, section, CheckVolume);
        Unique("volumes", pod.Volumes, static volume => volume.Name?.ToString(), "name", "duplicate-volume", findings, section);
        Isolators(pod.Isolators, findings);
        Annotations(pod.Annotations, findings, section);
        Each("ports", pod.Ports, findings, section, CheckExposedPort);
        TextMap("userAnnotations", pod.UserAnnotations, findings, section);
        TextMap("userLabels", pod.UserLabels, findings, section);
        Unknown(pod.UnknownMembers, MemberNames.Pod, findings);
    }

    // Faults of one object, for those that are given as text.
    public static IReadOnlyList<ManifestFinding> Check(Volume volume) => Alone(volume, SpecSections.Pod, CheckVolume);

    public static IReadOnlyList<ManifestFinding> Check(Mount mount) => Alone(mount, SpecSections.Pod, CheckMount);

    public static IReadOnlyList<ManifestFinding> Check(MountPoint point) => Alone(point, SpecSections.Image, CheckMountPoint);

    public static IReadOnlyList<ManifestFinding> Check(Port port) => Alone(port, SpecSections.Image, CheckPort);

    private static IReadOnlyList<ManifestFinding> Alone<T>(T value, string section, ItemRule<T> rule)
    {
        FindingList findings = new(MostFindings);
        rule(value, findings, section);
        return findings.Findings;
    }

    private static void CheckRuntimeApp(RuntimeApp app, FindingList findings, string section)
    {
        Required(app.Name, "name", findings, section);
        Required(app.Image, "image", findings, section);
        Nested("image", app.Image, findings, section, CheckRuntimeImage);
        Nested("app", app.App, findings, SpecSections.Image, CheckApp);
        Each("mounts", app.Mounts, findings, section, CheckMount);
        Annotations(app.Annotations, findings, section);
        Unknown(app.UnknownMembers, MemberNames.RuntimeApp, findings);
    }

    private static void CheckRuntimeImage(RuntimeImage image, FindingList findings, string section)
    {
        Required(image.Id, "id", findings, section);
        Labels(image.Labels, findings, section);
        Unknown(image.UnknownMembers, MemberNames.RuntimeImage, findings);
    }

    private static void CheckMount(Mount mount, FindingList findings, string section)
    {
        Required(mount.Volume, "volume", findings, section);
        RequiredText(mount.Path, "path", findings, section);
        Nested("appVolume", mount.AppVolume, findings, section, CheckVolume);
        Unknown(mount.UnknownMembers, MemberNames.Mount, findings);
    }

    private static void CheckVolume(Volume volume, FindingList findings, string section)
    {
        Required(volume.Name, "name", findings, section);
        switch (volume.Kind)
        {
            case VolumeKind.Host:
                CheckHostVolume(volume, findings, section);
                break;
            case VolumeKind.Empty:
                CheckEmptyVolume(volume, findings, section);
                break;
            default:
                findings.AddHere("kind", ((int)volume.Kind).ToString(CultureInfo.InvariantCulture), "bad-volume", "must be 'empty' or 'host'", section);
                break;
        }

        Unknown(volume.UnknownMembers, MemberNames.Volume, findings);
    }

    private static void CheckHostVolume(Volume volume, FindingList findings, string section)
    {
        if (volume.Source is null)
        {
            findings.AddHere("source", null, "bad-volume", "a host volume must have a source", section);
        }
        else if (volume.Source[0] != '/')
        {
            findings.AddHere("source", Quoted(volume.Source), "bad-volume", "must be an absolute path", section);
        }

        OnlyForEmpty("mode", volume.Mode, findings, section);
        OnlyForEmpty("uid", Shown(volume.Uid), findings, section);
        OnlyForEmpty("gid", Shown(volume.Gid), findings, section);
    }

    private static void OnlyForEmpty(string member, string? value, FindingList findings, string section)
    {
        if (value is not null)
        {
            findings.AddHere(member, value, "bad-volume", "only an empty volume can have this member", section);
        }
    }

    private static void CheckEmptyVolume(Volume volume, FindingList findings, string section)
    {
        if (volume.Source is not null)
        {
            findings.AddHere("source", Quoted(volume.Source), "bad-volume", "an empty volume cannot have a source", section);
        }

        if (volume.Mode is { } mode && (mode.Length is < 3 or > 5 || mode.AsSpan().ContainsAnyExceptInRange('0', '7') || (mode.Length == 5 && mode[0] != '0')))
        {
            findings.AddHere("mode", Quoted(mode), "bad-volume", "must be a file mode in octal digits, such as 0755", section);
        }

        NotNegative("uid", volume.Uid, findings, section);
        NotNegative("gid", volume.Gid, findings, section);
    }

    private static void NotNegative(string member, long? value, FindingList findings, string section)
    {
        if (value < 0)
        {
            findings.AddHere(member, Shown(value), "out-of-range", "must not be negative", section);
        }
    }

    private static void CheckExposedPort(ExposedPort port, FindingList findings, string section)
    {
        Required(port.Name, "name", findings, section);
        if (port.HostPort is < 1 or > 65535)
        {
            findings.AddHere("hostPort", Shown(port.HostPort), "out-of-range", "must be from 1 to 65535", section);
        }

        if (port.HostIp is not null && !IsDottedQuad(port.HostIp))
        {
            findings.AddHere("hostIP", Quoted(port.HostIp), "bad-ip", "must be an IPv4 address in dotted-quad form", section);
        }

        Nested("podPort", port.PodPort, findings, SpecSections.Image, CheckPort);
        Unknown(port.UnknownMembers, MemberNames.ExposedPort, findings);
    }

    /// <summary>The name of a port says which app it is of, so no two apps can have one of the same name, unless the pod says itself which port is meant.</summary>
    private static void PortNames(PodManifest pod, FindingList findings)
    {
        HashSet<string> overridden = [.. pod.Ports.Where(static port => port?.PodPort is not null).Select(static port => port.Name?.ToString() ?? "")];
        Dictionary<string, int> owners = new(StringComparer.Ordinal);
        for (int app = 0; app < pod.Apps.Count; app++)
        {
            IReadOnlyList<Port> ports = pod.Apps[app]?.App?.Ports ?? [];
            for (int index = 0; index < ports.Count; index++)
            {
                if (ports[index]?.Name?.ToString() is { } name && !owners.TryAdd(name, app) && owners[name] != app && !overridden.Contains(name))
                {
                    findings.Push("apps");
                    findings.Push(app);
                    findings.Push("app");
                    findings.Push("ports");
                    findings.Push(index);
                    findings.AddHere("name", Quoted(name), "duplicate-port", "another app of the pod has a port of this name", SpecSections.Pod);
                    for (int pushed = 0; pushed < 5; pushed++)
                    {
                        findings.Pop();
                    }
                }
            }
        }
    }

    private static bool IsDottedQuad(string address)
    {
        int parts = 0;
        foreach (Range part in address.AsSpan().Split('.'))
        {
            ReadOnlySpan<char> digits = address.AsSpan(part);
            parts++;
            bool valid = digits.Length is >= 1 and <= 3 && !digits.ContainsAnyExceptInRange('0', '9')
                && !(digits.Length > 1 && digits[0] == '0') && int.Parse(digits, CultureInfo.InvariantCulture) <= 255;
            if (!valid)
            {
                return false;
            }
        }

        return parts == 4;
    }
}
