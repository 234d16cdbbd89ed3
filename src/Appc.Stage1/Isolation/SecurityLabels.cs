using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Isolation;

/// <summary>
/// The SELinux context and the AppArmor profiles that a pod's processes get. What the host does not have is left out;
/// <see cref="WhyNot"/> has told it before.
/// </summary>
internal sealed class SecurityLabels(SecurityModules host, PodManifest manifest)
{
    /// <summary>The SELinux context of all of the pod's processes; null for none of its own.</summary>
    internal string? SelinuxContext =>
        Selinux() is { } isolator && WhyNotSelinux(isolator) is null ? ContextOf(isolator) : null;

    /// <summary>The SELinux context of what the pod's file systems hold; null where the processes have none.</summary>
    internal string? SelinuxFileContext => SelinuxContext is null ? null : $"{host.FileContext()}:{Selinux()!.Level}";

    /// <summary>The mount option by which everything in a file system has the pod's file context, with its comma; else empty.</summary>
    internal string MountOption => SelinuxFileContext is { } context ? $",context=\"{context}\"" : "";

    /// <summary>
    /// By these systemd-nspawn labels the pod's process 1, and what it mounts itself; and shows the systemd inside that the
    /// host has AppArmor, without which that one would pass over profiles.
    /// </summary>
    internal IReadOnlyList<string> NspawnArguments =>
    [
        .. SelinuxContext is { } context ? (string[])["--selinux-context=" + context, "--selinux-apifs-context=" + SelinuxFileContext] : [],
        .. manifest.Apps.Any(a => ProfileOf(a.Name) is not null) ? (string[])[$"--bind-ro={host.AppArmorModule}:/sys/module/apparmor"] : [],
    ];

    /// <summary>The AppArmor profile of an app; null for none of its own.</summary>
    internal string? ProfileOf(AcName app) =>
        (OfPod<AppArmorProfileIsolator>(IsolatorNames.AppArmorProfile) ?? OfApp<AppArmorProfileIsolator>(app, IsolatorNames.AppArmorProfile)) is { } isolator
            && WhyNotAppArmor(isolator) is null ? isolator.Profile : null;

    /// <summary>Why an isolator of the two is not enforced; null if it is.</summary>
    internal (string Reason, string? Hint)? WhyNot(Isolator isolator, AcName? app)
    {
        const string OfThePod = "Make it an isolator of the pod.";
        if (isolator.Name.ToString() == IsolatorNames.SelinuxContext)
        {
            SelinuxContextIsolator own = As<SelinuxContextIsolator>(isolator);
            return WhyNotSelinux(own)
                ?? (Selinux() is { } chosen && ContextOf(chosen) == ContextOf(own) ? null
                    : ("all processes of a pod have one context", OfThePod));
        }

        AppArmorProfileIsolator profile = As<AppArmorProfileIsolator>(isolator);
        return WhyNotAppArmor(profile)
            ?? (app is null || ProfileOf(app) == profile.Profile ? null : ("the pod's profile holds for all of its apps", OfThePod));
    }

    /// <summary>What a process of an app tells the security modules before it executes: file in its <c>attr</c> directory, and text.</summary>
    internal IReadOnlyList<(string Attribute, string Text)> BeforeExecution(AcName app) =>
    [
        .. SelinuxContext is { } context ? ((string, string)[])[("exec", context)] : [],
        .. ProfileOf(app) is { } profile ? ((string, string)[])[(host.AppArmorAttribute, "exec " + profile)] : [],
    ];

    /// <summary>Steps that write these; <paramref name="proc"/> is the host's /proc, which no process of the pod can have changed.</summary>
    internal static void Write(LaunchPlan plan, LaunchArgument proc, IEnumerable<(string Attribute, string Text)> labels)
    {
        foreach ((string attribute, string text) in labels)
        {
            plan.WriteFileAt($"take on the label '{text}'", proc, "thread-self/attr/" + attribute, System.Text.Encoding.UTF8.GetBytes(text));
        }
    }

    /// <summary>Whether a label can stand in units and mount options as it is.</summary>
    internal static bool IsPlain(string label) =>
        label.Length is > 0 and < 512 && label[0] is not '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or ':' or ',' or '-' or '/' or '+' or '@' or '&');

    private static string ContextOf(SelinuxContextIsolator isolator) => $"{isolator.User}:{isolator.Role}:{isolator.Type}:{isolator.Level}";

    private (string Reason, string? Hint)? WhyNotSelinux(SelinuxContextIsolator isolator) =>
        !host.HasSelinux ? ("the host does not run SELinux", null)
        : IsPlain(ContextOf(isolator)) ? null
        : ("the context holds characters that none has", null);

    private (string Reason, string? Hint)? WhyNotAppArmor(AppArmorProfileIsolator isolator) =>
        !host.HasAppArmor ? ("the host does not run AppArmor", null)
        : !IsPlain(isolator.Profile) ? ("the name of the profile holds characters that none has", null)
        : host.KnowsProfile(isolator.Profile) == false ? ("the host has loaded no such profile", "Load it: apparmor_parser -r FILE")
        : null;

    /// <summary>The pod's, or the one that all of its apps have.</summary>
    private SelinuxContextIsolator? Selinux()
    {
        if (OfPod<SelinuxContextIsolator>(IsolatorNames.SelinuxContext) is { } ofPod)
        {
            return ofPod;
        }

        SelinuxContextIsolator?[] all = [.. manifest.Apps.Select(a => OfApp<SelinuxContextIsolator>(a.Name, IsolatorNames.SelinuxContext))];
        return all.Length > 0 && all.All(o => o is not null && ContextOf(o) == ContextOf(all[0]!)) ? all[0] : null;
    }

    private T? OfPod<T>(string name)
        where T : Isolator => IsolatorReader.Find(manifest.Isolators, name) is { } isolator ? As<T>(isolator) : null;

    private T? OfApp<T>(AcName app, string name)
        where T : Isolator => IsolatorReader.Find(manifest.Apps.FirstOrDefault(a => a.Name == app)?.App?.Isolators ?? [], name) is { } isolator ? As<T>(isolator) : null;

    private static T As<T>(Isolator isolator)
        where T : Isolator => isolator as T ?? (T)Isolator.Create(isolator.Name, isolator.ValueJson);
}
