using System.Diagnostics;
using System.Globalization;

namespace Appc.PodStress;

/// <summary>What this program and its pods take of the host at one moment.</summary>
internal sealed record HostUse
{
    /// <summary>Open descriptors of this process.</summary>
    public required int Descriptors { get; init; }

    /// <summary>Threads of this process.</summary>
    public required int Threads { get; init; }

    /// <summary>Managed heap after a collection, in bytes.</summary>
    public required long Heap { get; init; }

    /// <summary>Resident memory of this process, in bytes.</summary>
    public required long Resident { get; init; }

    /// <summary>Mounts of this namespace in the data directory.</summary>
    public required int Mounts { get; init; }

    /// <summary>Control groups of pods of the data directory.</summary>
    public required int Groups { get; init; }

    /// <summary>Children of this process.</summary>
    public required int Children { get; init; }

    /// <summary>Looks at it.</summary>
    /// <param name="root">The data directory.</param>
    /// <param name="isOurs">Whether a UUID is one of its pods, also of those that are gone.</param>
    public static HostUse Look(string root, Func<string, bool> isOurs)
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        using Process self = Process.GetCurrentProcess();
        EnumerationOptions all = new() { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
        return new HostUse
        {
            Descriptors = Directory.GetFileSystemEntries("/proc/self/fd").Length,
            Threads = Directory.GetDirectories("/proc/self/task").Length,
            Heap = GC.GetTotalMemory(forceFullCollection: false),
            Resident = self.WorkingSet64,
            Mounts = File.ReadLines("/proc/self/mountinfo").Count(l => l.Contains(root, StringComparison.Ordinal)),
            Groups = Directory.EnumerateDirectories("/sys/fs/cgroup", "appc-*", all).Select(g => Path.GetFileName(g)["appc-".Length..]).Where(isOurs).Distinct().Count(),
            Children = Directory.GetDirectories("/proc/self/task").Sum(CountChildren),
        };
    }

    /// <summary>What is more than it was and more than may be: nothing in most runs.</summary>
    /// <param name="before">The same load, after the warm-up.</param>
    public IEnumerable<string> Growth(HostUse before)
    {
        // Threads of the pool and pages of the heap come and go with the speed of the host.
        const int Pool = 16;
        const long Heap = 4 << 20;
        const long Pages = 48 << 20;
        (string What, long Before, long Now, long Allowed)[] counts =
        [
            ("descriptors", before.Descriptors, Descriptors, 4),
            ("threads", before.Threads, Threads, Pool),
            ("bytes of managed heap", before.Heap, this.Heap, Heap),
            ("bytes of resident memory", before.Resident, Resident, Pages),
            ("mounts", before.Mounts, Mounts, 0),
            ("children", before.Children, Children, 0),
        ];
        return counts.Where(c => c.Now > c.Before + c.Allowed).Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.What}: {c.Before} have become {c.Now}"));
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Descriptors} descriptors, {Threads} threads, heap {Heap >> 10} KB, resident {Resident >> 10} KB, {Mounts} mounts, {Groups} control groups, {Children} children");

    private static int CountChildren(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        }
        catch (IOException)
        {
            // The thread has ended.
            return 0;
        }
    }
}
