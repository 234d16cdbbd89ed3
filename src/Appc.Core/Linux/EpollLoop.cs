using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Waits for any number of descriptors with one thread, and calls back once for each.</summary>
/// <remarks>
/// The thread starts with the first wait and ends some seconds after the last one, also after <see cref="Dispose"/>.
/// It is a background thread and keeps no program alive.
/// </remarks>
internal sealed unsafe class EpollLoop(string threadName) : IDisposable
{
    private const int IdleMilliseconds = 5000;

    private readonly ConcurrentDictionary<ulong, (int Descriptor, Action Ready)> _waits = new();
    private readonly Lock _gate = new();
    private SafeFileHandle? _epoll;
    private ulong _last;
    private bool _disposed;

    /// <summary>Calls back, on the loop's thread and once, when one of the events has happened.</summary>
    /// <param name="descriptor">What to wait for; open until the call back, or until <see cref="Remove"/> returned.</param>
    /// <param name="events">EPOLLIN, EPOLLOUT; errors and the end count always.</param>
    /// <param name="ready">Must be short and throw nothing.</param>
    /// <returns>A key for <see cref="Remove"/>.</returns>
    internal ulong Add(SafeFileHandle descriptor, uint events, Action ready)
    {
        int number = (int)descriptor.DangerousGetHandle();
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            EnsureStarted();
            ulong key = ++_last;
            _waits[key] = (number, ready);
            epoll_event interest = default;
            interest.events = (int)events;
            interest.data.u64 = key;
            if (LibC.epoll_ctl((int)_epoll!.DangerousGetHandle(), LibC.EPOLL_CTL_ADD, number, &interest) != 0)
            {
                int errno = LibC.errno;
                _waits.TryRemove(key, out _);
                throw new InvalidOperationException($"cannot wait for a descriptor: {Errno.Describe(errno)}");
            }

            return key;
        }
    }

    /// <summary>Takes a wait back; false if it is over: the call back is then made, or was.</summary>
    internal bool Remove(ulong key)
    {
        lock (_gate)
        {
            if (!_waits.TryRemove(key, out var wait))
            {
                return false;
            }

            // The thread holds the epoll set for as long as there are waits, and there was this one.
            _ = LibC.epoll_ctl((int)_epoll!.DangerousGetHandle(), LibC.EPOLL_CTL_DEL, wait.Descriptor, null);
            return true;
        }
    }

    /// <summary>Accepts no more waits. Running ones go on to their end.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
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
            throw new InvalidOperationException("cannot wait: no file descriptors left");
        }

        _epoll = epoll;
        Thread thread = new(() => Loop(epoll), 256 * 1024) { IsBackground = true, Name = threadName };
        thread.UnsafeStart();
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
                if (_waits.TryRemove(events[i].data.u64, out var wait))
                {
                    // Closing is not enough: a child that is just being launched has copies of all descriptors.
                    _ = LibC.epoll_ctl(epoll, LibC.EPOLL_CTL_DEL, wait.Descriptor, null);
                    wait.Ready();
                }
            }

            if (count > 0)
            {
                continue;
            }

            lock (_gate)
            {
                if (_waits.IsEmpty)
                {
                    _epoll = null;
                    handle.Dispose();
                    return;
                }
            }
        }
    }
}
