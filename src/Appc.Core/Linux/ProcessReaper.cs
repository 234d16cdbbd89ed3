using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// Waits for any number of processes with one thread: epoll over their pidfds. Children are reaped, and only these
/// (by pidfd), so that the host's own child processes are left alone.
/// </summary>
/// <remarks>
/// The thread starts with the first wait and ends after <see cref="Dispose"/>, when the last process that is waited
/// for has ended: what was started is always reaped. It is a background thread and keeps no program alive.
/// </remarks>
internal sealed unsafe class ProcessReaper : IDisposable
{
    private const ulong WakeUp = 0;

    private readonly ConcurrentDictionary<ulong, Watch> _watches = new();
    private readonly Lock _gate = new();
    private SafeFileHandle? _epoll;
    private SafeFileHandle? _wake;
    private ulong _last;
    private bool _disposed;

    /// <summary>
    /// Waits for the end of a process. The task never fails; continuations do not run on the reaper's thread.
    /// </summary>
    /// <param name="pidfd">The process. The reaper owns the descriptor from now on.</param>
    /// <param name="isChild">Whether it is a child of this process: it is then reaped, and its status known.</param>
    internal Task<ProcessEnd> WaitAsync(SafeFileHandle pidfd, bool isChild)
    {
        Watch watch = new(pidfd, isChild);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            EnsureStarted();
            ulong key = ++_last;
            _watches[key] = watch;
            if (!Register(pidfd, key))
            {
                _watches.TryRemove(key, out _);
                throw new InvalidOperationException($"cannot wait for a process: {Marshal.GetPInvokeErrorMessage(LibC.errno)}");
            }
        }

        return watch.Completion.Task;
    }

    /// <summary>
    /// Waits for the end of any process, a child or not; the status of children is left for others to take.
    /// </summary>
    /// <returns>A task that ends with the process; at once if there is no such process.</returns>
    internal Task WaitAsync(int pid, long startTime)
    {
        SafeFileHandle? pidfd = PidFd.TryOpen(pid, startTime);
        return pidfd is null ? Task.CompletedTask : WaitAsync(pidfd, isChild: false);
    }

    /// <summary>Accepts no more waits. Running ones go on to their end.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            if (_wake is not null)
            {
                long one = 1;
                _ = LibC.write((int)_wake.DangerousGetHandle(), &one, sizeof(long));
            }
        }
    }

    private void EnsureStarted()
    {
        if (_epoll is not null)
        {
            return;
        }

        SafeFileHandle epoll = new(LibC.epoll_create1(LibC.EPOLL_CLOEXEC), ownsHandle: true);
        SafeFileHandle wake = new(LibC.eventfd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK), ownsHandle: true);
        if (epoll.IsInvalid || wake.IsInvalid)
        {
            epoll.Dispose();
            wake.Dispose();
            throw new InvalidOperationException("cannot wait for processes: no file descriptors left");
        }

        _epoll = epoll;
        _wake = wake;
        Register(wake, WakeUp);
        Thread thread = new(Loop, 256 * 1024) { IsBackground = true, Name = "appc reaper" };
        thread.UnsafeStart();
    }

    private bool Register(SafeFileHandle handle, ulong key)
    {
        epoll_event interest = default;
        interest.events = LibC.EPOLLIN;
        interest.data.u64 = key;
        return LibC.epoll_ctl((int)_epoll!.DangerousGetHandle(), LibC.EPOLL_CTL_ADD, (int)handle.DangerousGetHandle(), &interest) == 0;
    }

    private void Loop()
    {
        const int Capacity = 64;
        epoll_event* events = stackalloc epoll_event[Capacity];
        int epoll = (int)_epoll!.DangerousGetHandle();
        while (true)
        {
            int count = LibC.epoll_wait(epoll, events, Capacity, -1);
            for (int i = 0; i < count; i++)
            {
                ulong key = events[i].data.u64;
                if (key == WakeUp)
                {
                    long ignored;
                    _ = LibC.read((int)_wake!.DangerousGetHandle(), &ignored, sizeof(long));
                }
                else if (_watches.TryRemove(key, out Watch? watch))
                {
                    // Closing is not enough: a child that is just being launched has copies of all descriptors.
                    _ = LibC.epoll_ctl(epoll, LibC.EPOLL_CTL_DEL, watch.Descriptor, null);
                    watch.Complete();
                }
            }

            lock (_gate)
            {
                if (_disposed && _watches.IsEmpty)
                {
                    _epoll.Dispose();
                    _wake!.Dispose();
                    return;
                }
            }
        }
    }

    private sealed class Watch(SafeFileHandle pidfd, bool isChild)
    {
        internal int Descriptor => (int)pidfd.DangerousGetHandle();

        internal TaskCompletionSource<ProcessEnd> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal void Complete()
        {
            ProcessEnd end = isChild ? PidFd.Reap(pidfd) : default;
            pidfd.Dispose();
            Completion.TrySetResult(end);
        }
    }
}
