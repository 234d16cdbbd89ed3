using System.Text.Json;
using Appc.Manifests;

namespace Appc.Stage1.Isolation;

/// <summary>Which system calls an app may make, in the words of systemd's <c>SystemCallFilter=</c>.</summary>
/// <param name="Calls">Names of calls, and of systemd's sets of calls, which begin with <c>@</c>.</param>
/// <param name="Deny">Whether these are the denied ones; otherwise they are the only allowed ones.</param>
/// <param name="ErrorName">The error that a denied call gives; null means that the process is killed by SIGSYS.</param>
internal sealed record SystemCallFilter(IReadOnlyList<string> Calls, bool Deny, string? ErrorName)
{
    // The sets of the specification and of rkt (ace.md; rkt's seccomp guide). "all" and "empty" opt out.
    private const string All = "@appc.io/all";
    private const string Empty = "@appc.io/empty";

    /// <summary>
    /// What an ordinary service needs, as docker and rkt allow it by default: systemd's own list for services
    /// without what reaches kernel keyrings and io_uring, with what the default capabilities are for (chroot) and
    /// with the tracing of an app's own processes.
    /// </summary>
    private static readonly string[] DefaultCalls =
    [
        "@system-service", "chroot", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "mincore",
        "process_vm_readv", "process_vm_writev", "ptrace", "seccomp",
    ];

    // Keys of the kernel belong to no namespace.
    private static readonly string[] Never = ["@keyring"];

    private static readonly string[] NeverByDefault =
    [
        .. Never, "io_uring_enter", "io_uring_register", "io_uring_setup", "userfaultfd",
    ];

    // What systemd-nspawn allows and the default filter does not: harmless without a capability, or within namespaces.
    private static readonly string[] BeyondDefault = ["@aio", "@mount", "setdomainname", "sethostname", "userfaultfd", "vhangup"];

    // What no program can do without, and systemd adds to every list of allowed calls.
    private const string Always = "@default";
    private const string NotPermitted = "EPERM";

    // What docker's list blocks by name.
    private static readonly string[] Blacklist =
    [
        "@clock", "@debug", "@keyring", "@module", "@mount", "@obsolete", "@raw-io", "@reboot", "@swap", "acct", "bpf",
        "fanotify_init", "io_uring_enter", "io_uring_register", "io_uring_setup", "kexec_load", "lookup_dcookie", "mbind",
        "migrate_pages", "move_pages", "open_by_handle_at", "perf_event_open", "quotactl", "set_mempolicy", "setns",
        "syslog", "unshare", "userfaultfd", "vhangup",
    ];

    // A capability that the manifest retains on purpose is of no use while the calls it is for are denied.
    private static readonly (string Capability, string[] Calls)[] ByCapability =
    [
        ("CAP_DAC_READ_SEARCH", ["open_by_handle_at"]),
        ("CAP_SYS_ADMIN", ["@mount", "bpf", "fanotify_init", "perf_event_open", "quotactl", "setdomainname", "sethostname"]),
        ("CAP_SYS_BOOT", ["@reboot"]),
        ("CAP_SYS_MODULE", ["@module"]),
        ("CAP_SYS_PACCT", ["acct"]),
        ("CAP_SYS_RAWIO", ["@raw-io"]),
        ("CAP_SYS_TIME", ["@clock"]),
        ("CAP_SYS_TTY_CONFIG", ["vhangup"]),
        ("CAP_SYSLOG", ["syslog"]),
        ("CAP_BPF", ["bpf"]),
        ("CAP_PERFMON", ["perf_event_open"]),
    ];

    /// <summary>
    /// What a filter of the manifest's own cannot go beyond: what systemd-nspawn allows to everything in it. Null for
    /// the default filter, which is within that.
    /// </summary>
    internal IReadOnlyList<string>? Limit { get; init; }

    /// <summary>Calls that are taken away from an allow list again.</summary>
    internal IReadOnlyList<string> Without { get; init; } = [];

    /// <summary>Whether new namespaces are denied too, however they are asked for.</summary>
    internal bool DenyNamespaces { get; init; }

    /// <summary>Whether sockets of other families than the usual ones are denied too (<see cref="SocketFamilies"/>).</summary>
    internal bool RestrictFamilies { get; init; }

    /// <summary>The filter of an app; null if it has opted out.</summary>
    /// <param name="isolators">The app's isolators.</param>
    /// <param name="capabilities">The app's capabilities.</param>
    /// <exception cref="LaunchException">Both sets are given, or one of them cannot be read.</exception>
    internal static SystemCallFilter? FromIsolators(IReadOnlyList<Isolator> isolators, CapabilitySet capabilities)
    {
        Isolator? retain = IsolatorReader.Find(isolators, IsolatorNames.SeccompRetainSet);
        Isolator? remove = IsolatorReader.Find(isolators, IsolatorNames.SeccompRemoveSet);
        return (retain, remove) switch
        {
            (null, null) => Default(capabilities),
            (not null, null) => Read(retain, deny: false, optOut: All, capabilities),
            (null, not null) => Read(remove, deny: true, optOut: Empty, capabilities),
            _ => throw new LaunchException("read the isolators", 0, $"an app has both {IsolatorNames.SeccompRetainSet} and {IsolatorNames.SeccompRemoveSet}", "Use one of the two isolators."),
        };
    }

    /// <summary>The widest filter there is: what is allowed to an app that has opted out of the default one.</summary>
    internal static SystemCallFilter WidestFor(CapabilitySet capabilities) =>
        new([.. DefaultCalls, .. BeyondDefault, .. CallsOf(capabilities)], Deny: false, NotPermitted)
        {
            Without = capabilities.Names.Contains("CAP_IPC_LOCK") ? Never : [.. Never, "@memlock"],
        };

    /// <summary>The calls by name, with every set resolved.</summary>
    internal SystemCallRules Resolve(SystemCallSets sets)
    {
        HashSet<string> Expand(IEnumerable<string> names) => sets.Expand([Always, .. names]);
        HashSet<string> allowed = Expand(Deny ? Limit ?? [] : Calls);
        if (!Deny && Limit is not null)
        {
            allowed.IntersectWith(Expand(Limit));
        }

        allowed.ExceptWith(sets.Expand(Without));
        HashSet<string> denied = Deny ? sets.Expand(Calls) : [];
        allowed.ExceptWith(denied);
        return new SystemCallRules(allowed, Deny ? NotPermitted : ErrorName, sets.Known, denied, ErrorName, DenyNamespaces, RestrictFamilies);
    }

    private static string[] CallsOf(CapabilitySet capabilities)
    {
        HashSet<string> names = [.. capabilities.Names];
        return [.. ByCapability.Where(e => names.Contains(e.Capability)).SelectMany(e => e.Calls)];
    }

    private static SystemCallFilter Default(CapabilitySet capabilities)
    {
        return new SystemCallFilter([.. DefaultCalls, .. CallsOf(capabilities)], Deny: false, NotPermitted)
        {
            Without = NeverByDefault,
            DenyNamespaces = !capabilities.Names.Contains("CAP_SYS_ADMIN"),
            RestrictFamilies = true,
        };
    }

    private static SystemCallFilter? Read(Isolator isolator, bool deny, string optOut, CapabilitySet capabilities)
    {
        List<string> calls = [];
        foreach (string name in IsolatorReader.ReadSet(isolator))
        {
            if (name == optOut)
            {
                return null;
            }

            calls.AddRange(Expand(name, isolator));
        }

        return deny && calls.Count == 0
            ? null
            : new SystemCallFilter(calls, deny, ReadErrorName(isolator)) { Limit = WidestFor(capabilities).Calls, Without = Never };
    }

    private static string[] Expand(string name, Isolator isolator)
    {
        return name switch
        {
            Empty => [],
            "@docker/default-whitelist" or "@rkt/default-whitelist" => DefaultCalls,
            "@docker/default-blacklist" or "@rkt/default-blacklist" => Blacklist,
            _ when name.StartsWith("@systemd/", StringComparison.Ordinal) && IsName(name["@systemd/".Length..]) => ["@" + name["@systemd/".Length..]],
            _ when IsName(name) => [name],
            _ => throw new LaunchException(
                "read the isolators", 0, $"'{Printable.Text(name)}' in {isolator.Name} is not the name of a system call or of a set that is known"),
        };
    }

    private static string? ReadErrorName(Isolator isolator)
    {
        using JsonDocument document = JsonDocument.Parse(isolator.ValueJson);
        if (!document.RootElement.TryGetProperty("errno", out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        string? name = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return name switch
        {
            "" => null,
            ['E', ..] when name.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c)) => name,
            _ => throw new LaunchException("read the isolators", 0, $"the errno of {isolator.Name} is not the name of an error"),
        };
    }

    private static bool IsName(string name) =>
        name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}
