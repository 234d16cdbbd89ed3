using System.Globalization;
using Appc.Stage1.Nspawn;

namespace Appc.Stage1.Limits;

/// <summary>What to write into the files of a control group.</summary>
internal static class LimitFiles
{
    /// <summary>Thousandths of a processor: far more than there are, and as much as all files and settings take.</summary>
    internal const long MostMilli = 200_000_000;

    // The kernel takes no quota below a thousandth of a second, and no period above one second.
    private const long ShortestQuota = 1000;
    private const long UsualPeriod = 100_000;
    private const long LongestPeriod = 1_000_000;
    private const int UsualShares = 1024;

    /// <summary>Whether a directory is a group of version 1 with a controller.</summary>
    internal static bool IsVersion1(string directory, string controller) =>
        File.Exists($"{directory}/{(controller == LimitHost.Memory ? "memory.limit_in_bytes" : "cpu.shares")}");

    /// <summary>Sets what a controller of version 1 enforces.</summary>
    internal static void WriteVersion1(string directory, string controller, ResourceLimits limits)
    {
        if (controller == LimitHost.Memory)
        {
            if (limits.Memory is { } memory)
            {
                Write(directory, "memory.limit_in_bytes", memory);
                if (File.Exists(directory + "/memory.memsw.limit_in_bytes"))
                {
                    // Memory and swap space together: what is swapped out counts too.
                    Write(directory, "memory.memsw.limit_in_bytes", memory);
                }
            }

            WriteIf(directory, "memory.soft_limit_in_bytes", limits.MemoryRequest);
            return;
        }

        if (limits.Cpu is { } cpu)
        {
            (long quota, long period) = Quota(Math.Min(cpu, EnclosingCpu(directory)));
            Write(directory, "cpu.cfs_period_us", period);
            Write(directory, "cpu.cfs_quota_us", quota);
        }

        WriteIf(directory, "cpu.shares", limits.CpuShares);
    }

    /// <summary>Sets what a controller of version 2 enforces.</summary>
    internal static void WriteVersion2(string directory, string controller, ResourceLimits limits, IEnumerable<string> disks)
    {
        switch (controller)
        {
            case LimitHost.Memory:
                WriteIf(directory, "memory.max", limits.Memory);
                WriteIf(directory, "memory.low", limits.MemoryRequest);
                if (limits.Memory is not null && File.Exists(directory + "/memory.swap.max"))
                {
                    Write(directory, "memory.swap.max", 0);
                }

                break;
            case LimitHost.Cpu:
                if (limits.Cpu is { } cpu)
                {
                    (long quota, long period) = Quota(cpu);
                    WriteText(directory, "cpu.max", Text($"{quota} {period}"));
                }

                WriteIf(directory, "cpu.weight", Weight(limits.CpuShares));
                break;
            default:
                string what = (limits.BlockBytes is { } bytes ? Text($" rbps={bytes} wbps={bytes}") : "")
                    + (limits.BlockOperations is { } operations ? Text($" riops={operations} wiops={operations}") : "");
                foreach (string disk in disks)
                {
                    WriteText(directory, "io.max", disk + what);
                }

                break;
        }
    }

    /// <summary>Microseconds of processor time in a period, for thousandths of a processor.</summary>
    internal static (long Quota, long Period) Quota(long milli)
    {
        milli = Math.Min(milli, MostMilli);
        long period = Math.Clamp(ShortestQuota * 1000 / milli, UsualPeriod, LongestPeriod);
        return (Math.Max(milli * period / 1000, ShortestQuota), period);
    }

    /// <summary>The weight in version 2 for a number of shares in version 1, as systemd has it.</summary>
    internal static long? Weight(long? shares) => shares is null ? null : Math.Clamp(shares.Value * 100 / UsualShares, 1, 10_000);

    /// <summary>
    /// The whole disks of this host, as <c>MAJOR:MINOR</c>. The kernel takes limits for those only. The single paths to a disk that
    /// has several, as with NVMe, are hidden disks without a number; the disk itself is listed beside them.
    /// </summary>
    internal static IReadOnlyList<string> Disks(string directory = "/sys/block") =>
        [.. Directory.EnumerateFileSystemEntries(directory)
            .Where(d => PodPaths.ReadText(d + "/size") is not (null or "0"))
            .Select(d => PodPaths.ReadText(d + "/dev")).OfType<string>()];

    /// <summary>Thousandths of a processor that the groups above allow: a group of version 1 cannot be set to more.</summary>
    private static long EnclosingCpu(string directory)
    {
        long least = long.MaxValue;
        for (string? above = Path.GetDirectoryName(directory); above is not null && File.Exists(above + "/cpu.cfs_quota_us"); above = Path.GetDirectoryName(above))
        {
            long quota = Read(above + "/cpu.cfs_quota_us");
            long period = Read(above + "/cpu.cfs_period_us");
            if (quota > 0 && period > 0)
            {
                least = Math.Min(least, quota * 1000 / period);
            }
        }

        return Math.Max(least, 1);
    }

    private static long Read(string path) =>
        long.TryParse(File.ReadAllText(path).AsSpan().Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : 0;

    private static void WriteIf(string directory, string file, long? value)
    {
        if (value is { } given)
        {
            Write(directory, file, given);
        }
    }

    private static void Write(string directory, string file, long value) => WriteText(directory, file, Text($"{value}"));

    private static void WriteText(string directory, string file, string text) => File.WriteAllText($"{directory}/{file}", text);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
