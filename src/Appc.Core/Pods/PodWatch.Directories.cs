using Appc.Linux;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <content>The directories of pods, which inotify watches.</content>
internal sealed partial class PodWatch
{
    private void Open()
    {
        try
        {
            _inotify = OperatingSystem.IsLinux() ? new Inotify() : null;
            _blind = _inotify is null;
        }
        catch (ErrnoException e)
        {
            logger.WatchBlind(e);
            _blind = true;
        }

        WatchPhases();
        Listen();
    }

    private void WatchPhases()
    {
        _phasesLost = false;
        foreach (string directory in _inotify is null ? [] : pods.PhaseDirectories)
        {
            _phasesLost |= TryWatch(directory, PhaseEvents, null) < 0;
        }
    }

    private int TryWatch(string directory, uint events, WatchedPod? pod)
    {
        try
        {
            int watch = _inotify!.Watch(directory, events);
            if (watch >= 0)
            {
                _watches[watch] = pod;
            }

            return watch;
        }
        catch (ErrnoException e)
        {
            // The host gives no more watches.
            if (!_blind)
            {
                logger.WatchBlind(e);
            }

            _blind = true;
            return -1;
        }
    }

    private void Listen()
    {
        if (_inotify is { } inotify)
        {
            try
            {
                _listening = loop.Add(inotify.Handle, Readable, () =>
                {
                    Volatile.Write(ref _readable, true);
                    Wake();
                });
            }
            catch (Exception e) when (e is InvalidOperationException or ObjectDisposedException)
            {
                _blind = true;
            }
        }
    }

    private void Close()
    {
        foreach (WatchedPod pod in _pods.Values)
        {
            pod.Dispose();
        }

        if (_listening is { } key)
        {
            loop.Remove(key);
        }

        _inotify?.Dispose();
        _inotify = null;
        _listening = null;
        _pods.Clear();
        _watches.Clear();
        _starters.Clear();
        _born.Clear();
        _dirty.Clear();
        _blind = _phasesLost = _failed = _complete = _all = _readable = false;
    }

    private void Happened(int watch, uint events, string name)
    {
        lock (_gate)
        {
            if ((events & Inotify.Overflow) != 0)
            {
                _all = true;
            }
            else if (!_watches.TryGetValue(watch, out WatchedPod? pod))
            {
                return;
            }
            else if ((events & Inotify.Ignored) != 0)
            {
                // The directory is gone, or was let go.
                _watches.Remove(watch);
                if (pod is null)
                {
                    // That of a phase: it comes back with the next pod.
                    _phasesLost = true;
                }
            }
            else if (pod is not null)
            {
                pod.Ending |= name.Length == 0 && (events & Inotify.Attributes) != 0;
                _dirty.Add(pod.Uuid);
            }
            else if (PodDirectories.IsUuid(name))
            {
                _dirty.Add(name);
                if ((events & Inotify.Created) != 0)
                {
                    // Only once in a pod's life: later it is moved.
                    _born.Add(name);
                }
            }
        }
    }
}
