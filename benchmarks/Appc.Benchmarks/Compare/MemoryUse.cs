using System.Globalization;

namespace Appc.Benchmarks.Compare;

/// <summary>
/// How much memory a piece of work takes on top of what this process has before: the kernel's high-water mark, which
/// is set back first, so that nothing between two looks is missed.
/// </summary>
internal sealed class MemoryUse
{
    /// <summary>Most bytes resident beyond those before, of all that was watched.</summary>
    public long Resident { get; private set; }

    /// <summary>Most bytes that the collector had taken from the system, at the end of each.</summary>
    public long Managed { get; private set; }

    /// <summary>Watches until the result is disposed.</summary>
    public IDisposable Watch()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        File.WriteAllText("/proc/self/clear_refs", "5");
        return new Span(this, Field("VmRSS:"));
    }

    /// <summary>Prints both.</summary>
    public void Print(string what) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"memory of {what}: at most {Resident / 1048576.0:0.0} MiB resident more than before (VmHWM), {Managed / 1048576.0:0.0} MiB of managed heap"));

    private static long Field(string name)
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.AsSpan(name.Length).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture) << 10;
    }

    private sealed class Span(MemoryUse use, long before) : IDisposable
    {
        public void Dispose()
        {
            use.Resident = Math.Max(use.Resident, Field("VmHWM:") - before);
            use.Managed = Math.Max(use.Managed, GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes);
        }
    }
}
