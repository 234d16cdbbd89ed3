namespace Appc.Linux;

/// <summary>
/// Keeps this process safe while a child that shares its memory runs under another user's id, and gives back
/// afterwards what that costs.
/// </summary>
/// <remarks>
/// When a task changes its user id, the kernel marks its memory as not dumpable, so that other processes of the new
/// user cannot trace it. A launching child shares its memory with this process, so the mark falls on this process
/// too, and it stays: no core dumps, no diagnostics. The mark must go again, yet not before the last child that
/// shares the memory has executed its program. The mark belongs to the process, and so does the count of those
/// children.
/// </remarks>
internal sealed class DumpableGuard : IDisposable
{
    private static readonly Lock Gate = new();
    private static readonly bool WasDumpable = Libc.prctl(Libc.PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
    private static int s_launches;

    private DumpableGuard()
    {
    }

    internal static DumpableGuard Enter()
    {
        lock (Gate)
        {
            // Before the first such child exists: reading the mark later could read what a launch made of it.
            _ = WasDumpable;
            s_launches++;
        }

        return new DumpableGuard();
    }

    public void Dispose()
    {
        lock (Gate)
        {
            if (--s_launches == 0 && WasDumpable)
            {
                _ = Libc.prctl(Libc.PR_SET_DUMPABLE, 1, 0, 0, 0);
            }
        }
    }
}
