using Appc.Linux;
using Appc.Stage1;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>
/// Sees what happens to pods, whoever does it: one inotify instance and one thread for all who want to know. Events of the
/// kernel only say where to look; what is told comes from the pod's files, its lock and its processes, so that a lost
/// event is repaired by the next look. Does nothing while nobody wants to know.
/// </summary>
internal sealed partial class PodWatch(PodDirectories pods, EpollLoop loop, ProcessWatcher processes, TimeProvider time, ILogger logger) : IDisposable
{
    private const uint PhaseEvents = Inotify.Created | Inotify.MovedTo | Inotify.MovedFrom | Inotify.Deleted | Inotify.DeletedSelf;
    private const uint PodEvents = Inotify.Created | Inotify.MovedTo | Inotify.Attributes;
    private const uint StatusEvents = Inotify.Created | Inotify.MovedTo | Inotify.CloseWrite | Inotify.Deleted;
    private const uint Readable = 1;

    // Without inotify the pods are looked at this often.
    private static readonly TimeSpan BlindLook = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly HashSet<string> _dirty = new(StringComparer.Ordinal);
    private readonly List<PodEventSubscription> _subscriptions = [];
    private readonly List<(PodEventSubscription Subscription, TaskCompletionSource Joined)> _joining = [];
    private readonly Dictionary<string, List<PodWait>> _waits = new(StringComparer.Ordinal);
    private bool _all;
    private bool _running;
    private bool _disposed;
    private bool _failed;

    // Only the pump touches these.
    private readonly Dictionary<string, WatchedPod> _pods = new(StringComparer.Ordinal);
    private readonly Dictionary<int, WatchedPod?> _watches = [];
    private readonly HashSet<Stage1ProcessId> _starters = [];
    private readonly List<string> _retries = [];

    // Pods that the kernel told of and that were not looked at yet: they may be gone by then.
    private readonly HashSet<string> _born = new(StringComparer.Ordinal);
    private Inotify? _inotify;
    private ulong? _listening;
    private bool _readable;
    private bool _blind;
    private bool _phasesLost;
    private bool _complete;

    /// <summary>Begins a subscription; when the task has ended, nothing that happens is missed any more.</summary>
    public async Task<PodEventSubscription> SubscribeAsync(PodEventOptions options, string? pod, CancellationToken cancellationToken)
    {
        pods.EnsureCreated();
        PodEventSubscription subscription = new(options, pod, time, Leave);
        TaskCompletionSource joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _joining.Add((subscription, joined));
            EnsureRunning();
        }

        Wake();
        try
        {
            await joined.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return subscription;
        }
        catch
        {
            subscription.Dispose();
            throw;
        }
    }

    /// <summary>Waits until the status of a pod is as wanted; looks again whenever something happened to it.</summary>
    public async Task<PodStatus> WaitAsync(string uuid, Func<PodStatus, bool> wanted, CancellationToken cancellationToken)
    {
        PodWait wait = new(wanted);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            (_waits.TryGetValue(uuid, out List<PodWait>? waits) ? waits : _waits[uuid] = []).Add(wait);
            _dirty.Add(uuid);
            EnsureRunning();
        }

        Wake();
        try
        {
            return await wait.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                if (_waits.TryGetValue(uuid, out List<PodWait>? waits) && waits.Remove(wait) && waits.Count == 0)
                {
                    _waits.Remove(uuid);
                }
            }

            Wake();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _subscriptions.ForEach(s => s.Close());
            _joining.ForEach(j => j.Joined.TrySetException(new ObjectDisposedException(nameof(PodRuntime))));
            foreach (PodWait wait in _waits.Values.SelectMany(w => w))
            {
                wait.Fail(new ObjectDisposedException(nameof(PodRuntime)));
            }

            _subscriptions.Clear();
            _joining.Clear();
            _waits.Clear();
        }

        Wake();
    }

    private void Leave(PodEventSubscription subscription)
    {
        lock (_gate)
        {
            _subscriptions.Remove(subscription);
            _joining.RemoveAll(j => j.Subscription == subscription);
        }

        Wake();
    }

    private void EnsureRunning()
    {
        if (!_running)
        {
            _running = true;
            _ = Task.Run(PumpAsync);
        }
    }

    private void Wake()
    {
        lock (_wake)
        {
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }

    private void Touch(string uuid)
    {
        lock (_gate)
        {
            _dirty.Add(uuid);
        }

        Wake();
    }

    private async Task PumpAsync()
    {
        while (true)
        {
            try
            {
                if (_inotify is null && !_blind)
                {
                    Open();
                }

                Look();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // A newer layout, no permission, a disk that fails. Whoever waits must hear of it, whatever it is.
                logger.WatchFailed(e);
                lock (_gate)
                {
                    _joining.ForEach(j => j.Joined.TrySetException(e));
                    _joining.Clear();
                    _all = _failed = true;
                }
            }

            await _wake.WaitAsync(NextLook()).ConfigureAwait(false);
            lock (_gate)
            {
                if (_subscriptions.Count == 0 && _joining.Count == 0 && _waits.Count == 0)
                {
                    Close();
                    _running = false;
                    return;
                }
            }
        }
    }

    private TimeSpan NextLook()
    {
        _retries.Clear();
        TimeSpan next = _blind || _phasesLost || _failed ? BlindLook : Timeout.InfiniteTimeSpan;
        foreach (WatchedPod pod in _pods.Values)
        {
            if (pod.NextLook is { } wait)
            {
                _retries.Add(pod.Uuid);
                next = next == Timeout.InfiniteTimeSpan || wait < next ? wait : next;
            }
        }

        return next;
    }

    private void Look()
    {
        List<(PodEventSubscription Subscription, TaskCompletionSource Joined)> joining;
        lock (_gate)
        {
            joining = [.. _joining];
        }

        if (Volatile.Read(ref _readable))
        {
            Volatile.Write(ref _readable, false);
            _inotify?.Read(Happened);
            Listen();
        }
        else if (joining.Count > 0)
        {
            // What happened before the subscription is none of its events.
            _inotify?.Read(Happened);
        }

        if (_phasesLost)
        {
            WatchPhases();
        }

        List<string> dirty;
        bool everybody;
        lock (_gate)
        {
            everybody = _subscriptions.Count > 0 || joining.Count > 0;
            if (_all || _blind || _phasesLost || (everybody && !_complete))
            {
                _dirty.UnionWith(_pods.Keys);
                _dirty.UnionWith(_waits.Keys);
                if (everybody)
                {
                    _dirty.UnionWith(pods.Enumerate().Select(p => p.Uuid));
                }

            }

            _dirty.UnionWith(_retries);
            _retries.Clear();
            _all = _failed = false;
            _complete = everybody;
            if (!everybody)
            {
                _born.Clear();
            }

            dirty = [.. everybody ? _dirty : _dirty.Where(_waits.ContainsKey)];
            _dirty.Clear();
        }

        foreach (string uuid in dirty)
        {
            try
            {
                LookAt(uuid);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Every descriptor in use, say: looked at again.
                logger.WatchFailed(e);
                lock (_gate)
                {
                    _dirty.Add(uuid);
                    _failed = true;
                }
            }
        }

        foreach ((PodEventSubscription subscription, TaskCompletionSource joined) in joining)
        {
            foreach (WatchedPod pod in _pods.Values.Where(p => p.Status is not null).OrderBy(p => p.Status!.Created))
            {
                subscription.Begin(pod.Status!);
            }

            lock (_gate)
            {
                if (_joining.Remove((subscription, joined)))
                {
                    _subscriptions.Add(subscription);
                    joined.TrySetResult();
                }
            }
        }
    }
}
