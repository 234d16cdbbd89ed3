using System.Diagnostics;
using Appc.Diagnostics;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Appc.Pods;

/// <content>The ends of pods: waiting for them, bringing them about, telling them.</content>
internal sealed partial class PodSupervisor
{
    public async Task<PodStatus> WaitAsync(string uuid, CancellationToken cancellationToken)
    {
        if (_ends.TryGetValue(uuid, out Task<PodStatus>? end))
        {
            return await end.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        while (true)
        {
            PodStatus status = Look(uuid);
            switch (status.State)
            {
                case PodState.Running:
                    await WaitForEndAsync(uuid, cancellationToken).ConfigureAwait(false);
                    break;
                case PodState.Prepared:
                    throw WrongState(uuid, "is only prepared; it does not end before it was started");
                case PodState.Preparing:
                    await watch.WaitAsync(uuid, s => s.State != PodState.Preparing, cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    return status;
            }
        }
    }

    public async Task<PodStatus> StopAsync(string uuid, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (FindRunning(uuid) is not { } location || TryDescribe(location) is not var (stage1, pod))
        {
            PodStatus status = Look(uuid);
            return status.HasEnded ? status : throw NotRunning(uuid);
        }

        using Activity? activity = AppcTelemetry.Activities.StartActivity("appc.pod.stop");
        activity?.SetTag("appc.pod.uuid", uuid).SetTag("appc.stage1", stage1.Name);
        Stage1ProcessId first = FirstProcessOf(location);

        // Who started the pod keeps its lock until the end is recorded. If that is not this program it may be gone: then this one does.
        // The kernel frees the lock if it is killed.
        SafeFileHandle? held = _ends.ContainsKey(uuid) ? null : LockFile.TryJoin(pods.LockPathOf(uuid), first);
        try
        {
            await stage1.StopAsync(pod, first, grace, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (held is not null)
            {
                held.Dispose();
                Announce(location);
            }
        }

        return await WaitAsync(uuid, cancellationToken).ConfigureAwait(false);
    }

    private async Task<PodStatus> FinishAsync(IStage1 stage1, PodFactory.Embryo embryo, Stage1Process process, Task entered)
    {
        long begun = Stopwatch.GetTimestamp();
        string uuid = embryo.Location.Uuid;
        await entered.ConfigureAwait(false);
        await process.Ended.ConfigureAwait(false);
        try
        {
            PodStatus status = ReadEnd(embryo);
            await FinishAsync(stage1, embryo, status, begun).ConfigureAwait(false);
            return status;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageErrors.Explain($"how the pod {uuid} ended cannot be read", e);
        }
        finally
        {
            // Also if it cannot be read now: who waits next looks again.
            _ends.TryRemove(uuid, out _);
        }
    }

    /// <summary>Reads how a pod ended while nobody can remove it, and then frees its lock.</summary>
    private PodStatus ReadEnd(PodFactory.Embryo embryo)
    {
        try
        {
            PodLocation ran = Ran(embryo);

            // The apps of a mutable pod are no longer those that it began with.
            PodManifest manifest = (embryo.Record.Mutable ? PodFiles.TryReadManifest(ran.Directory) : null) ?? embryo.Manifest;
            PodStatus status = PodStatusReader.OfEnded(ran, manifest, embryo.Record);
            return Directory.Exists(ran.Directory) ? status : Look(ran.Uuid);
        }
        finally
        {
            embryo.Lock.Release();
        }
    }

    private PodLocation Ran(PodFactory.Embryo embryo) =>
        new(embryo.Location.Uuid, PodPhase.Run, pods.DirectoryOf(PodPhase.Run, embryo.Location.Uuid));

    private async Task FinishAsync(IStage1 stage1, PodFactory.Embryo embryo, PodStatus status, long begun)
    {
        string uuid = embryo.Location.Uuid;
        PodLocation ran = Ran(embryo);
        Announce(ran);
        logger.Ended(uuid, status.ExitCode);
        var flavour = new KeyValuePair<string, object?>("appc.stage1", stage1.Name);
        AppcTelemetry.PodsRunning.Add(-1, flavour);
        AppcTelemetry.PodsEnded.Add(1, flavour);
        AppcTelemetry.PodLife.Record(Stopwatch.GetElapsedTime(begun).TotalSeconds, flavour);
        if (embryo.Record.RemoveOnExit)
        {
            await DiscardAsync(uuid).ConfigureAwait(false);
        }
    }

    /// <summary>Removes a pod that has ended or came to nothing, as far as it can be: the rest is for a garbage collection.</summary>
    public async Task DiscardAsync(string uuid)
    {
        try
        {
            await Remove(uuid, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AppcException or IOException or UnauthorizedAccessException)
        {
            logger.RemoveFailed(uuid, e);
        }
    }

    /// <summary>Has those look who watch the pod's directory: the kernel tells nobody that a lock was freed.</summary>
    private void Announce(PodLocation ran)
    {
        try
        {
            Directory.SetLastWriteTimeUtc(ran.Directory, DateTime.UtcNow);
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            // It was collected already.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.EndNotAnnounced(ran.Uuid, e);
        }
    }

    /// <summary>Waits until a running pod has ended, and its end is recorded.</summary>
    private async Task WaitForEndAsync(string uuid, CancellationToken cancellationToken)
    {
        // For most of the time a descriptor is all that is waited for.
        if (pods.Find(uuid) is { } location
            && (FindAlive(PodFiles.ReadFirstProcess(location.Directory)?.Process) ?? FindAlive(PodFiles.ReadLeader(location.Directory))) is { } alive)
        {
            await watcher.WaitForEndAsync(alive, cancellationToken).ConfigureAwait(false);
        }

        await watch.WaitAsync(uuid, s => s.State != PodState.Running, cancellationToken).ConfigureAwait(false);

        static Stage1ProcessId? FindAlive(Stage1ProcessId? process) => process is { Pid: > 0 } && ProcessIdentity.IsAlive(process) ? process : null;
    }
}
