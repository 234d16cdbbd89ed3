using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// Waits for any number of processes with one thread: epoll over their pidfds. Children are reaped, and only these
/// (by pidfd), so that the host's own child processes are left alone.
/// </summary>
/// <remarks>
/// The thread starts with the first wait and ends some seconds after the last process that it waits for, also after
/// <see cref="Dispose"/>: what was started is always reaped. It is a background thread and keeps no program alive.
/// </remarks>
internal sealed unsafe class ProcessReaper : IDisposable
{
    private const int IdleMilliseconds = 5000;

    private readonly ConcurrentDictionary<ulong, Watch> _watches = new();
    private readonly Lock _gate = new();
    private SafeFileHandle? _epoll;
    private ulong _last;
    private bool _disposed;

    /// <summary>
    /// Waits for the end of a process. The task fails only by cancellation, which gives the process up; continuations
    /// do not run on the reaper's thread.
    /// </summary>
    /// <param name="pidfd">The process. The reaper owns the descriptor from now on.</param>
    /// <param name="isChild">Whether it is a child of this process: it is then reaped, and its status known.</param>
    /// <param name="cancellationToken">Ends the wait. Not for children: they would never be reaped.</param>
    internal Task<ProcessEnd> WaitAsync(SafeFileHandle pidfd, bool isChild, CancellationToken cancellationToken = default)
    {
        Watch watch = new(pidfd, isChild);
        ulong key;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            EnsureStarted();
            key = ++_last;
            _watches[key] = watch;
            if (!Register(pidfd, key))
            {
                _watches.TryRemove(key, out _);
                throw new InvalidOperationException($"cannot wait for a process: {Errno.Describe(LibC.errno)}");
            }
        }

        if (cancellationToken.CanBeCanceled)
        {
            CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(_ => GiveUp(key, cancellationToken), null);
            watch.Completion.Task.ContinueWith(
                static (_, state) => ((CancellationTokenRegistration)state!).Unregister(), registration,
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        return watch.Completion.Task;
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

    /// <summary>Accepts no more waits. Running ones go on to their end.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }
    }

    private void GiveUp(ulong key, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_watches.TryRemove(key, out Watch? watch))
            {
                return; // it ended at the same moment
            }

            // The thread holds the epoll set for as long as there are watches, and there was this one.
            _ = LibC.epoll_ctl((int)_epoll!.DangerousGetHandle(), LibC.EPOLL_CTL_DEL, watch.Descriptor, null);
            watch.Cancel(cancellationToken);
        }
    }

    private void EnsureStarted()
    {
        if (_epoll is not null)
        {
            return;
        }

        SafeFileHandle epoll = new(LibC.epoll_create1(LibC.EPOLL_CLOEXEC), ownsHandle: true);
        if (epoll.IsInvalid)
        {
            throw new InvalidOperationException("cannot wait for processes: no file descriptors left");
        }

        _epoll = epoll;
        Thread thread = new(() => Loop(epoll), 256 * 1024) { IsBackground = true, Name = "appc reaper" };
        thread.UnsafeStart();
    }

    private bool Register(SafeFileHandle handle, ulong key)
    {
        epoll_event interest = default;
        interest.events = LibC.EPOLLIN;
        interest.data.u64 = key;
        return LibC.epoll_ctl((int)_epoll!.DangerousGetHandle(), LibC.EPOLL_CTL_ADD, (int)handle.DangerousGetHandle(), &interest) == 0;
    }

    private void Loop(SafeFileHandle handle)
    {
        const int Capacity = 64;
        epoll_event* events = stackalloc epoll_event[Capacity];
        int epoll = (int)handle.DangerousGetHandle();
        while (true)
        {
            int count = LibC.epoll_wait(epoll, events, Capacity, IdleMilliseconds);
            for (int i = 0; i < count; i++)
            {
                if (_watches.TryRemove(events[i].data.u64, out Watch? watch))
                {
                    // Closing is not enough: a child that is just being launched has copies of all descriptors.
                    _ = LibC.epoll_ctl(epoll, LibC.EPOLL_CTL_DEL, watch.Descriptor, null);
                    watch.Complete();
                }
            }

            if (count > 0)
            {
                continue;
            }

            lock (_gate)
            {
                if (_watches.IsEmpty)
                {
                    _epoll = null;
                    handle.Dispose();
                    return;
                }
            }
        }
    }

    private sealed class Watch(SafeFileHandle pidfd, bool isChild)
    {
        internal int Descriptor => (int)pidfd.DangerousGetHandle();

        internal TaskCompletionSource<ProcessEnd> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal void Cancel(CancellationToken cancellationToken)
        {
            pidfd.Dispose();
            Completion.TrySetCanceled(cancellationToken);
        }

        internal void Complete()
        {
            ProcessEnd end = isChild ? PidFd.Reap(pidfd) : default;
            pidfd.Dispose();
            Completion.TrySetResult(end);
        }
    }
}
