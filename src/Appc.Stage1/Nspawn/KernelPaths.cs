using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>Parts of /proc and /sys that an app has no business with. Only those that this kernel has: each costs time at every start.</summary>
/// <param name="ReadOnly">What an app may read but not write.</param>
/// <param name="Hidden">What an app finds empty.</param>
/// <param name="Covers">
/// What of that is a plain mount, as systemd has it in <c>BindPaths=</c>: read-only because what is mounted is. For each of
/// the others it goes through the table of all mounts several times. A plain mount must have a place, though.
/// </param>
internal sealed record KernelPaths(IReadOnlyList<string> ReadOnly, IReadOnlyList<string> Hidden, IReadOnlyList<string> Covers)
{
    // Systemd-nspawn makes them for every container, on a mount that is read-only.
    private const string Nodes = "/run/host/inaccessible/";

    private const uint OtherRead = 4;

    private static readonly string[] Steering = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/sys/fs/cgroup"];

    private static readonly string[] Telling =
    [
        "/proc/acpi", "/proc/asound", "/proc/config.gz", "/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/kmsg",
        "/proc/latency_stats", "/proc/mem", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
        "/sys/kernel/notes", "/sys/kernel/vmcoreinfo",
    ];

    // These come and go where they are the work of a module.
    private static readonly Dictionary<string, string> Modules = new(StringComparer.Ordinal)
    {
        ["/proc/asound"] = "snd",
        ["/proc/config.gz"] = "configs",
        ["/proc/scsi"] = "scsi_mod",
    };

    private static readonly KernelPaths Mapped = FindMapped();

    private static readonly KernelPaths Unmapped = new([.. Steering.Where(Path.Exists)], [.. Telling.Where(Path.Exists)], []);

    /// <summary>
    /// With a user namespace, what is only for the host's root to read or write is out of reach anyway: nobody in the
    /// pod is that user. What nspawn shows of /sys is read-only in both cases, but for the pod's control groups, which
    /// are for its systemd alone.
    /// </summary>
    internal static KernelPaths For(bool privateUsers) => privateUsers ? Mapped : Unmapped;

    private static KernelPaths FindMapped()
    {
        string[] hidden = [.. Telling.Where(p => Libc.TryStat(p, out Libc.Statx stat) && (stat.Mode & OtherRead) != 0)];
        string[] fleeting = [.. hidden.Where(IsOfModule)];

        // Without what nspawn has mounted below it as writable: the pod's own view of it is read-only.
        string[] covers = ["/proc/sys:/proc/sys:norbind", .. hidden.Except(fleeting).Select(p => $"{Nodes}{(Directory.Exists(p) ? "dir" : "reg")}:{p}:norbind")];
        return new(["/sys/fs/cgroup"], fleeting, covers);
    }

    // What is built in has no state.
    private static bool IsOfModule(string path) => Modules.TryGetValue(path, out string? module) && File.Exists($"/sys/module/{module}/initstate");
}
