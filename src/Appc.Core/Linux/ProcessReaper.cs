using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// Waits for any number of processes with one thread: epoll over their pidfds. Children are reaped, and only these
/// (by pidfd), so that the host's own child processes are left alone. Also after <see cref="Dispose"/>: what was
/// started is always reaped.
/// </summary>
internal sealed class ProcessReaper : IDisposable
{
    private static readonly TimeSpan TracedPatience = TimeSpan.FromMilliseconds(20);

    private readonly EpollLoop _loop;

    /// <summary>Makes one with a thread of its own.</summary>
    internal ProcessReaper()
        : this(new EpollLoop("appc reaper"))
    {
    }

    /// <summary>Makes one that waits with others on one thread.</summary>
    /// <param name="loop">The thread; disposed by this.</param>
    internal ProcessReaper(EpollLoop loop) => _loop = loop;

    /// <summary>
    /// Waits for the end of a process. The task fails only by cancellation, which gives the process up; continuations
    /// do not run on the reaper's thread.
    /// </summary>
    /// <param name="pidfd">The process. The reaper owns the descriptor from now on.</param>
    /// <param name="isChild">Whether it is a child of this process: it is then reaped, and its status known.</param>
    /// <param name="cancellationToken">Ends the wait. Not for children: they would never be reaped.</param>
    internal Task<ProcessEnd> WaitAsync(SafeFileHandle pidfd, bool isChild, CancellationToken cancellationToken = default)
    {
        TaskCompletionSource<ProcessEnd> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        ulong key = _loop.Add(pidfd, (uint)LibC.EPOLLIN, () => Finish(pidfd, isChild, completion));

        if (cancellationToken.CanBeCanceled)
        {
            CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
                _ =>
                {
                    if (_loop.Remove(key))
                    {
                        pidfd.Dispose();
                        completion.TrySetCanceled(cancellationToken);
                    }
                },
                null);
            completion.Task.ContinueWith(
                static (_, state) => ((CancellationTokenRegistration)state!).Unregister(), registration,
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        return completion.Task;
    }

    /// <summary>Waits for the end of a child that became its program, and owns it from now on. If that cannot be, the child is killed: nobody would ever know of its end.</summary>
    /// <param name="process">The child.</param>
    /// <param name="startTime">When it started, in clock ticks since boot; 0 if the kernel does not say.</param>
    internal Task<ProcessEnd> Adopt(LaunchedProcess process, out long startTime)
    {
        try
        {
            // Before it may be reaped: until then the number is the child's, dead or alive.
            startTime = ProcFs.StartTime(process.Pid) ?? 0;
            return WaitAsync(process.PidFd, isChild: true);
        }
        catch
        {
            LaunchPlan.KillAndReap(process);
            throw;
        }
    }

    /// <summary>
    /// Waits for the end of any process, a child or not; the status of children is left for others to take.
    /// </summary>
    /// <returns>A task that ends with the process; at once if there is no such process.</returns>
    internal Task WaitAsync(int pid, long startTime, CancellationToken cancellationToken = default)
    {
        SafeFileHandle? pidfd = PidFd.TryOpen(pid, startTime);
        return pidfd is null ? Task.CompletedTask : WaitAsync(pidfd, isChild: false, cancellationToken);
    }

    private static void Finish(SafeFileHandle pidfd, bool isChild, TaskCompletionSource<ProcessEnd> completion)
    {
        ProcessEnd? end = isChild ? PidFd.TryReap(pidfd) : default(ProcessEnd);
        if (end is null)
        {
            // A process of a pod may trace another one, and hold on to its remains: nobody else waits for that.
            Task.Delay(TracedPatience).ContinueWith(
                _ => Finish(pidfd, isChild, completion), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return;
        }

        pidfd.Dispose();
        completion.TrySetResult(end.Value);
    }

    /// <summary>Accepts no more waits. Running ones go on to their end.</summary>
    public void Dispose() => _loop.Dispose();
}
