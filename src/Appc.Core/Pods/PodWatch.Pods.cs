using Appc.Linux;
using Appc.Stage1;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <content>The pods: what is known of each, and the processes whose ends tell of it.</content>
internal sealed partial class PodWatch
{
    private void LookAt(string uuid)
    {
        if (!_pods.TryGetValue(uuid, out WatchedPod? pod))
        {
            _pods[uuid] = pod = new WatchedPod(uuid);
        }

        PodLocation? location = pods.Find(uuid);
        if (location is { Phase: PodPhase.Run } running && !pod.IsFollowed)
        {
            // First watched, then looked at: nothing is missed in between.
            Follow(pod, running);
        }

        PodStatus status = location is null ? new PodStatus { Uuid = uuid, State = PodState.Gone } : PodStatusReader.Read(pods, location.Value);
        if (status.State == PodState.Running)
        {
            FollowProcesses(pod, pods.DirectoryOf(PodPhase.Run, uuid), status);
        }
        else
        {
            pod.NextLook = status.State == PodState.Preparing && IsWaitedFor(uuid) ? BlindLook : null;
            if (pod.IsFollowed && status.HasEnded)
            {
                LetGo(pod);
            }
        }

        bool known = _born.Remove(uuid) || pod.Status is not null || status.State != PodState.Gone;
        pod.Status = status;
        if (status.State == PodState.Gone)
        {
            pod.Dispose();
            _pods.Remove(uuid);
        }

        Tell(status, known);
    }

    private bool IsWaitedFor(string uuid)
    {
        lock (_gate)
        {
            return _waits.ContainsKey(uuid);
        }
    }

    private void Tell(PodStatus status, bool known)
    {
        List<PodEventSubscription> subscriptions;
        List<PodWait> waits;
        lock (_gate)
        {
            subscriptions = known ? [.. _subscriptions] : [];
            waits = _waits.TryGetValue(status.Uuid, out List<PodWait>? list) ? [.. list] : [];
        }

        subscriptions.ForEach(s => s.Advance(status));
        waits.ForEach(w => w.Offer(status));
    }

    private void Follow(WatchedPod pod, PodLocation location)
    {
        pod.IsFollowed = true;
        if (_inotify is not null)
        {
            pod.DirectoryWatch = TryWatch(location.Directory, PodEvents, pod);
            pod.StatusWatch = TryWatch(Path.Combine(location.Directory, "status"), StatusEvents, pod);
        }
    }

    private void LetGo(WatchedPod pod)
    {
        foreach (int watch in (int[])[pod.DirectoryWatch, pod.StatusWatch])
        {
            if (watch >= 0 && _watches.Remove(watch))
            {
                _inotify?.Forget(watch);
            }
        }

        pod.DirectoryWatch = pod.StatusWatch = -1;
        pod.StopFollowing();
    }

    /// <summary>Has the ends of a pod's processes, and of the program that records its end, seen.</summary>
    private void FollowProcesses(WatchedPod pod, string directory, PodStatus status)
    {
        Stage1ProcessId? first = PodFiles.ReadFirstProcess(directory)?.Process;
        bool alive = first is { Pid: > 0 } && FollowProcess(pod, first);
        if (!alive && PodFiles.ReadLeader(directory) is { } leader)
        {
            alive = FollowProcess(pod, leader);
        }

        if (PodFiles.ReadStarter(directory) is { } starter && starter.Pid != Environment.ProcessId && _starters.Add(starter))
        {
            FollowStarter(starter);
        }

        // Being started; or its processes have ended, and that is being recorded: both take a moment, and who does it
        // may be killed.
        bool brief = status.Started is null || pod.Ending || (!alive && first is { Pid: > 0 });
        pod.NextLook = !brief ? null
            : pod.NextLook is { } last ? (last >= BlindLook ? BlindLook : last * 2)
            : TimeSpan.FromMilliseconds(1);
    }

    private bool FollowProcess(WatchedPod pod, Stage1ProcessId process)
    {
        if (!ProcessIdentity.IsAlive(process))
        {
            return false;
        }

        if (pod.Process != process)
        {
            _ = TouchAfterAsync(processes.WaitForEndAsync(process, pod.Token), () => Touch(pod.Uuid));
            pod.Process = process;
        }

        return true;
    }

    private void FollowStarter(Stage1ProcessId starter) =>
        _ = TouchAfterAsync(processes.WaitForEndAsync(starter, CancellationToken.None), () =>
        {
            lock (_gate)
            {
                _all = true;
            }

            Wake();
        });

    private static async Task TouchAfterAsync(Task end, Action touch)
    {
        try
        {
            await end.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        touch();
    }
}
