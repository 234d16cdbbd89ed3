using System.Globalization;
using System.Text;
using Appc.Images;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Nspawn;

/// <summary>The end of a pod: waiting for it, bringing it about, and clearing up after it. Works from any process.</summary>
internal sealed class NspawnEnd(Stage1Pod pod, ProcessReaper reaper, ILogger logger, TimeProvider time)
{
    // SIGRTMIN+3 asks systemd to halt; the C library keeps the first two real-time signals for itself.
    private const int HaltSignal = 34 + 3;

    // Process 1 takes no signals until systemd has set up its handlers, so the request is repeated.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Allowance = TimeSpan.FromSeconds(5);

    // How soon is looked again whether another recorder is done, which takes it less than that.
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(2);

    internal PodPaths Paths { get; } = new(pod);

    /// <summary>Waits for the end of the pod's processes, of which the first is a child, and clears up.</summary>
    internal async Task FinishAsync(Task<ProcessEnd> first)
    {
        ProcessEnd end = await first.ConfigureAwait(false);
        try
        {
            // Whoever outlives nspawn was left behind by its violent death.
            await KillRestAsync(CancellationToken.None).ConfigureAwait(false);
            await RecordMissingAsync(end, CancellationToken.None).ConfigureAwait(false);
            await CleanUpAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            logger.CleanupFailed(pod.Uuid, "the ended pod", e.Message);
        }
    }

    /// <summary>Ends whatever a failed start has left.</summary>
    internal async Task AbandonAsync()
    {
        try
        {
            await KillRestAsync(CancellationToken.None).ConfigureAwait(false);
            await CleanUpAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            logger.CleanupFailed(pod.Uuid, "the failed start", e.Message);
        }
    }

    internal async Task StopAsync(Stage1ProcessId firstProcess, TimeSpan grace, CancellationToken cancellationToken)
    {
        grace = grace < TimeSpan.Zero ? OwnGrace() : grace;
        TellStarter();
        if (grace != TimeSpan.Zero && !await TryHaltAsync(firstProcess, grace, cancellationToken).ConfigureAwait(false))
        {
            logger.GraceOver(pod.Uuid, grace.TotalSeconds);
        }

        await KillRestAsync(cancellationToken).ConfigureAwait(false);
        await KillAsync(firstProcess, cancellationToken).ConfigureAwait(false);
        await RecordMissingAsync(null, cancellationToken).ConfigureAwait(false);
        await CleanUpAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lets whoever is still waiting for the pod's start know why it ends.</summary>
    private void TellStarter()
    {
        try
        {
            SmallFile.Write(Paths.Stopped, []);
        }
        catch (IOException)
        {
            // No reason not to stop it.
        }
    }

    /// <summary>Frees the pod's control groups and its user ids. Safe to repeat.</summary>
    internal async Task<Stage1Garbage> CleanUpAsync(CancellationToken cancellationToken)
    {
        // The one that holds every process first; then nobody is left in the others.
        string[] groups = [PodPaths.ReadText(Paths.CGroup) ?? "", .. (PodPaths.ReadText(Paths.Limits) ?? "").Split('\n')];
        int removed = 0;
        foreach (string group in groups.Where(g => PodCGroup.IsOf(g, pod.Uuid) && Directory.Exists(g)))
        {
            if (await PodCGroup.RemoveAsync(group, time, cancellationToken).ConfigureAwait(false))
            {
                removed++;
            }
            else
            {
                logger.CleanupFailed(pod.Uuid, group, "processes are left in it");
            }
        }

        IdRanges ranges = new(pod.Root);
        int freed = Paths.ReadRange() is { } first ? ranges.Free(first, pod.Uuid) : ranges.FreeAll(pod.Uuid);
        return new Stage1Garbage { ControlGroups = removed, IdRanges = freed };
    }

    /// <summary>The time that the slowest app may take. The systemd inside keeps the apps to theirs, and gets a moment more for it.</summary>
    private TimeSpan OwnGrace()
    {
        TimeSpan longest = StopAnnotations.DefaultTimeout;
        foreach (Stage1App app in pod.Apps.Where(a => a.StopTimeout is not null))
        {
            // A handler that follows the app has as long once more.
            TimeSpan own = app.StopTimeout!.Value * (app.App.EventHandlers.Any(h => h.Name == "post-stop") ? 2 : 1);
            longest = own + Allowance > longest ? own + Allowance : longest;
        }

        return longest;
    }

    /// <summary>Asks process 1 of the pod to stop the apps and to end; false when the time was over before.</summary>
    private async Task<bool> TryHaltAsync(Stage1ProcessId firstProcess, TimeSpan grace, CancellationToken cancellationToken)
    {
        Stage1ProcessId? leader = PodPaths.ReadProcess(Paths.Leader);
        using SafeFileHandle? process = leader is null ? null : PidFd.TryOpen(leader.Pid, leader.StartTime);
        if (process is null)
        {
            return true;
        }

        Task ended = Task.WhenAll(
            WaitGoneAsync(leader!.Pid, leader.StartTime, cancellationToken), WaitGoneAsync(firstProcess.Pid, firstProcess.StartTime, cancellationToken));
        long begin = time.GetTimestamp();
        while (true)
        {
            PidFd.Signal(process, HaltSignal);
            TimeSpan left = grace - time.GetElapsedTime(begin);
            if (left <= TimeSpan.Zero)
            {
                return false;
            }

            try
            {
                await ended.WaitAsync(left < Patience ? left : Patience, time, cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (TimeoutException)
            {
                // Once more.
            }
        }
    }

    /// <summary>Kills whatever is left of the pod, and returns when it is gone.</summary>
    private async Task KillRestAsync(CancellationToken cancellationToken)
    {
        Stage1ProcessId? leader = PodPaths.ReadProcess(Paths.Leader);
        if (leader is not null && leader.BootId != ProcFs.BootId())
        {
            return;
        }

        if (PodPaths.ReadText(Paths.CGroup) is { Length: > 0 } group && PodCGroup.IsOf(group, pod.Uuid))
        {
            IReadOnlyList<int> left;
            while ((left = PodCGroup.Processes(group)).Count > 0)
            {
                PodCGroup.Kill(group);
                foreach (int pid in left)
                {
                    if (ProcFs.StartTime(pid) is { } started)
                    {
                        await WaitGoneAsync(pid, started, cancellationToken).ConfigureAwait(false);
                    }
                }
            }
        }

        if (leader is not null)
        {
            await KillAsync(leader, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task KillAsync(Stage1ProcessId id, CancellationToken cancellationToken)
    {
        using SafeFileHandle? process = PidFd.TryOpen(id.Pid, id.StartTime);
        if (process is not null)
        {
            PidFd.Signal(process, Tmds.Linux.LibC.SIGKILL);
            await WaitGoneAsync(id.Pid, id.StartTime, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for the end of any process, also after the flavour was disposed while pods run.</summary>
    private async Task WaitGoneAsync(int pid, long started, CancellationToken cancellationToken)
    {
        try
        {
            await reaper.WaitAsync(pid, started, cancellationToken).ConfigureAwait(false);
            return;
        }
        catch (Exception e) when (e is ObjectDisposedException or InvalidOperationException)
        {
            // Nobody waits for us any more: looking now and then is good enough.
        }

        while (ProcFs.Stat(pid) is { State: not ('Z' or 'X') } stat && stat.StartTime == started)
        {
            await Task.Delay(Patience / 10, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Records the end of apps that nobody inside could record: they were killed with the pod.</summary>
    private async Task RecordMissingAsync(ProcessEnd? first, CancellationToken cancellationToken)
    {
        if (FindMissing(out _).Count == 0)
        {
            return;
        }

        // Who stops a pod and who started it see its end at the same moment, and do not know the same of it: what one of them
        // has recorded, and told, the other leaves. One that has been removed meanwhile has nothing to record.
        DirectoryLock? mine;
        while (DirectoryLock.TryTake(Paths.Own, exclusive: true, out mine) == DirectoryLock.Outcome.Busy)
        {
            await Task.Delay(Turn, time, cancellationToken).ConfigureAwait(false);
        }

        using (mine)
        {
            if (mine is not null)
            {
                RecordMissing(first);
            }
        }
    }

    /// <summary>The apps of which no end is recorded, and all of them.</summary>
    private List<AcName> FindMissing(out List<AcName> apps)
    {
        // Apps of a mutable pod have come and gone since this was described, and those that were never begun have not ended.
        apps = [.. (pod.Mutable ? PodFiles.TryReadManifest(pod.Directory)?.Apps.Select(a => a.Name) : null) ?? pod.Apps.Select(a => a.Name)];
        apps.RemoveAll(a => pod.Mutable && PodFiles.ReadBegun(pod.Directory, a) is null);
        return [.. apps.Where(a => PodFiles.ReadStatus(pod.Directory, a) is null)];
    }

    private void RecordMissing(ProcessEnd? first)
    {
        List<AcName> missing = FindMissing(out List<AcName> apps);
        bool orderly = first is { Kind: ProcessEndKind.Exited };
        string? reason = orderly && missing.Count > 0 ? NspawnMessages.LastOf(Paths.NspawnLog) : null;
        if (missing.Count == apps.Count && reason is not null)
        {
            logger.EndedUnstarted(pod.Uuid, reason);
        }

        // Systemd passes the code of a lone app on, here one of those by which it says why it did not execute it. Where neither it
        // nor nspawn has anything to say, the pod ended by itself and the record of how the app did is lost: that is no kill.
        string status = !pod.Mutable && pod.Apps.Count == 1 && first is { Kind: ProcessEndKind.Exited, Value: >= 200 }
            ? string.Create(CultureInfo.InvariantCulture, $"exited {first.Value.Value} exit-code")
            : orderly && reason is null ? "unknown - pod" : "killed KILL pod";
        foreach (AcName app in missing.Where(_ => Directory.Exists(Paths.Status)))
        {
            // The pod could have put anything into this directory: written without following a link.
            using StatusFile file = StatusFile.Open(pod.StatusPath(app));
            string line = AppRestarts.Read(pod.Directory, app) is { Running: false, LastLine: { } last } ? last : status;
            if (file.Write(Encoding.ASCII.GetBytes(line + "\n")) is { } error)
            {
                logger.CleanupFailed(pod.Uuid, $"the status of the app {app}", error);
            }
        }
    }
}
