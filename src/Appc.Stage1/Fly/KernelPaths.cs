using Appc.Linux;
using Tmds.Linux;

namespace Appc.Stage1.Fly;

/// <summary>
/// Parts of /proc and /sys that an app has no business with: they tell about or steer the host, and root inside is
/// root outside as far as file modes go.
/// </summary>
internal sealed class KernelPaths
{
    private static readonly string[] Hidden =
    [
        "/proc/acpi", "/proc/asound", "/proc/config.gz", "/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/kmsg",
        "/proc/latency_stats", "/proc/mem", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
        "/sys/firmware", "/sys/fs", "/sys/hypervisor", "/sys/module", "/sys/power",
    ];

    private static readonly string[] ReadOnly =
        ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    private readonly List<(string Path, bool IsDirectory)> _hidden = [];
    private readonly List<string> _readOnly = [];

    private KernelPaths()
    {
    }

    /// <summary>Those that the running kernel has.</summary>
    internal static KernelPaths OfThisKernel()
    {
        KernelPaths paths = new();
        foreach (string path in Hidden)
        {
            if (Directory.Exists(path))
            {
                paths._hidden.Add((path, true));
            }
            else if (File.Exists(path))
            {
                paths._hidden.Add((path, false));
            }
        }

        paths._readOnly.AddRange(ReadOnly.Where(Path.Exists));
        return paths;
    }

    /// <summary>Steps after /proc, /sys and /dev are mounted. None may fail silently; what is missing was sorted out before.</summary>
    internal void Protect(LaunchPlan plan)
    {
        foreach (string path in _readOnly)
        {
            string name = $"protect {path}";
            plan.Bind(name, path, path, recursive: false);
            plan.Remount(name, path, LibC.MS_RDONLY | LibC.MS_NOSUID | LibC.MS_NODEV | LibC.MS_NOEXEC);
        }

        string? empty = null;
        foreach ((string path, bool isDirectory) in _hidden)
        {
            string name = $"hide {path}";
            if (!isDirectory)
            {
                plan.Bind(name, "/dev/null", path, recursive: false);
            }
            else if (empty is null)
            {
                plan.Mount(name, "tmpfs", path, "tmpfs", LibC.MS_RDONLY | LibC.MS_NOSUID | LibC.MS_NODEV | LibC.MS_NOEXEC, "size=0,nr_inodes=1,mode=0");
                empty = path;
            }
            else
            {
                // The same empty directory again: a third of the price of another file system.
                plan.Bind(name, empty, path, recursive: false);
            }
        }
    }
}
