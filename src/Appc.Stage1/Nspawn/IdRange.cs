using System.Globalization;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// A range of user ids that was given to a pod. A lock says so to everybody else on the host who gives such ranges away: to runtimes with
/// other data directories, and to systemd-nspawn, whose lock it is. It lasts as long as a process has a copy of it.
/// </summary>
/// <param name="First">The first id.</param>
/// <param name="Lock">The lock.</param>
internal sealed record IdRange(uint First, Fd Lock) : IDisposable
{
    private const string Directory = "/run/systemd/nspawn-uid";

    /// <summary>Takes the lock of a range; null if somebody else has it.</summary>
    internal static IdRange? TryTake(uint first)
    {
        System.IO.Directory.CreateDirectory(Directory);
        return RecordLock.TryTake(PathOf(first)) is { } mine ? new IdRange(first, mine) : null;
    }

    /// <summary>Takes away what a pod that has ended has left of the lock; another's stays.</summary>
    internal static void Clear(uint first)
    {
        string path = PathOf(first);
        if (File.Exists(path))
        {
            using Fd? mine = RecordLock.TryTake(path);
            if (mine is not null)
            {
                File.Delete(path);
            }
        }
    }

    public void Dispose() => Lock.Dispose();

    private static string PathOf(uint first) => Path.Combine(Directory, first.ToString(CultureInfo.InvariantCulture));
}
