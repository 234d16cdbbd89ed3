using System.Diagnostics;
using Appc.Diagnostics;
using Appc.Images;
using Appc.Linux;
using Appc.Stage1;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>Removes pods: one by name, or all that have had their time.</summary>
internal sealed class PodCollector(PodDirectories pods, IReadOnlyList<IStage1> stage1s, ImageStore images, TimeProvider time, ILogger logger)
{
    /// <summary>Removes a pod that does not run.</summary>
    public async Task RemoveAsync(string uuid, CancellationToken cancellationToken)
    {
        if (pods.Find(uuid) is not { } location)
        {
            throw new PodException(PodFailure.NotFound, $"the pod {uuid} is gone");
        }

        PodState state = PodStatusReader.StateOf(pods, location);
        for (int look = 0; look < 6 && state == PodState.Running && !PodStatusReader.HasLivingProcess(location); look++)
        {
            // It has ended, and a child that is just being launched has a copy of the lock that its starter held.
            await Task.Delay(2 << look, cancellationToken).ConfigureAwait(false);
            state = PodStatusReader.StateOf(pods, location);
        }

        if (state is PodState.Running or PodState.Preparing)
        {
            throw new PodException(PodFailure.WrongState, $"the pod {uuid} is {(state == PodState.Running ? "running" : "being prepared")} and cannot be removed", "stop it first");
        }

        using LockFile? mine = await pods.TryLockAsync(uuid, create: true, cancellationToken).ConfigureAwait(false);
        if (mine is null)
        {
            throw new PodException(PodFailure.WrongState, $"the pod {uuid} is in use by somebody else");
        }

        RefuseNewer(location);
        await SweepAsync(uuid, mine, new GarbageTally(), cancellationToken).ConfigureAwait(false);
    }

    public async Task<GarbageReport> CollectAsync(GarbageOptions options, CancellationToken cancellationToken)
    {
        using Activity? activity = AppcTelemetry.Activities.StartActivity("appc.pod.collect");
        var freed = new GarbageTally();
        List<GarbagePod> done = [];
        foreach (PodLocation location in pods.Enumerate().ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            string? name = PodFiles.TryReadRecord(location.Directory)?.Name;
            long before = freed.Bytes;
            try
            {
                if (await CollectOneAsync(location, options, freed, cancellationToken).ConfigureAwait(false) is { } action)
                {
                    done.Add(new GarbagePod { Uuid = location.Uuid, Name = name, Action = action, BytesFreed = freed.Bytes - before });
                }
            }
            catch (Exception e) when (e is AppcException or IOException or UnauthorizedAccessException)
            {
                logger.RemoveFailed(location.Uuid, e);
                done.Add(new GarbagePod { Uuid = location.Uuid, Name = name, Action = GarbageAction.Failed, BytesFreed = freed.Bytes - before, Failure = e.Message });
            }
        }

        List<string> failures = [.. done.Where(p => p.Failure is not null).Select(p => $"pod {p.Uuid}: {p.Failure}")];
        int leftovers = 0;
        try
        {
            leftovers = await RemoveOrphanedLocksAsync(cancellationToken).ConfigureAwait(false) + await pods.Names.RemoveStaleAsync(cancellationToken).ConfigureAwait(false);
            foreach (IStage1Collector stage1 in options.MarkOnly ? [] : stage1s.OfType<IStage1Collector>())
            {
                freed.Add(await stage1.CollectOrphansAsync(pods.Root, uuid => pods.IsLocked(uuid) || pods.Find(uuid) is not null, cancellationToken).ConfigureAwait(false));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            failures.Add($"leftovers of pods: {e.Message}");
        }

        return new GarbageReport
        {
            Removed = done.Where(p => p.Action == GarbageAction.Removed).Select(p => p.Uuid).ToArray(),
            Marked = done.Where(p => p.Action == GarbageAction.Marked).Select(p => p.Uuid).ToArray(),
            Pods = done,
            ControlGroups = freed.ControlGroups,
            IdRanges = freed.IdRanges,
            Mounts = freed.Mounts,
            PodLeftovers = leftovers,
            Failures = failures,
            ImageLeftovers = options.MarkOnly ? 0 : await images.CollectLeftoversAsync(cancellationToken).ConfigureAwait(false),
        };
    }

    /// <exception cref="PodException">A newer version wrote the pod's record: it is not ours to move or remove.</exception>
    private static void RefuseNewer(PodLocation location) => _ = PodFiles.ReadRecord(location.Directory);

    private async Task<GarbageAction?> CollectOneAsync(PodLocation location, GarbageOptions options, GarbageTally freed, CancellationToken cancellationToken)
    {
        PodState state = PodStatusReader.StateOf(pods, location);
        if (state is PodState.Running or PodState.Exited && PodFiles.TryReadRecord(location.Directory) is { } record)
        {
            PodLogUpkeep.Do(location.Directory, record.Options);
        }

        bool due = state switch
        {
            PodState.Exited or PodState.AbortedPrepare or PodState.Garbage => true,
            PodState.ExitedGarbage => AgeOf(location) >= options.GracePeriod,
            PodState.Prepared => AgeOf(location) >= options.ExpirePrepared,
            _ => false,
        };
        if (!due)
        {
            return null;
        }

        using LockFile? mine = await pods.TryLockAsync(location.Uuid, create: true, cancellationToken).ConfigureAwait(false);
        if (mine is null || !Directory.Exists(location.Directory))
        {
            return null;
        }

        RefuseNewer(location);
        if (state == PodState.Exited && (options.GracePeriod > TimeSpan.Zero || options.MarkOnly))
        {
            // The time of the mark is when the grace period begins.
            Directory.SetLastWriteTimeUtc(location.Directory, time.GetUtcNow().UtcDateTime);
            pods.Move(location, PodPhase.ExitedGarbage);
            return GarbageAction.Marked;
        }

        if (options.MarkOnly)
        {
            return null;
        }

        await SweepAsync(location.Uuid, mine, freed, cancellationToken).ConfigureAwait(false);
        return GarbageAction.Removed;
    }

    /// <summary>Removes a pod whose lock is held, wherever it lies.</summary>
    private async Task SweepAsync(string uuid, LockFile mine, GarbageTally freed, CancellationToken cancellationToken)
    {
        if (pods.Find(uuid) is not { } location)
        {
            mine.Delete();
            return;
        }

        // Out of sight first: from here on the pod is garbage whatever happens.
        if (location.Phase is not (PodPhase.ExitedGarbage or PodPhase.Garbage))
        {
            PodPhase next = location.Phase == PodPhase.Run ? PodPhase.ExitedGarbage : PodPhase.Garbage;
            if (!pods.Move(location, next))
            {
                return;
            }

            location = new PodLocation(uuid, next, pods.DirectoryOf(next, uuid));
        }

        PodRecord? record = PodFiles.ReadRecord(location.Directory);
        await CollectStage1Async(location, record, freed, cancellationToken).ConfigureAwait(false);
        freed.Mounts += MountsBelow.Detach(location.Directory);

        // Who looks at it from now on is told nothing of its apps, rather than that nobody knows how they ended.
        PodFiles.RemoveManifest(location.Directory);
        freed.Bytes += TreeRemover.Remove(location.Directory);
        if (record?.Name is { } name)
        {
            pods.Names.Free(name, uuid);
        }

        mine.Delete();
        AppcTelemetry.PodsRemoved.Add(1);
        logger.Removed(uuid);
    }

    private async Task CollectStage1Async(PodLocation location, PodRecord? record, GarbageTally freed, CancellationToken cancellationToken)
    {
        if (record is null || PodFiles.TryReadManifest(location.Directory) is not { } manifest)
        {
            // Half prepared, half removed or damaged: nobody can tell which flavour it was, so each may look.
            foreach (IStage1 each in stage1s)
            {
                await CollectAsync(each, PodDescription.Bare(pods.Root, location)).ConfigureAwait(false);
            }

            return;
        }

        IStage1 stage1 = stage1s.FirstOrDefault(s => s.Name == record.Stage1) ?? throw new PodException(
            PodFailure.HostUnsuitable, $"the pod {location.Uuid} needs the stage1 flavour {record.Stage1} to be collected, which is not registered");
        await CollectAsync(stage1, PodDescription.Make(pods.Root, location, manifest, record)).ConfigureAwait(false);

        async Task CollectAsync(IStage1 flavour, Stage1Pod pod)
        {
            if (flavour is IStage1Collector telling)
            {
                freed.Add(await telling.CollectGarbageAsync(pod, cancellationToken).ConfigureAwait(false));
            }
            else
            {
                await flavour.CollectAsync(pod, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<int> RemoveOrphanedLocksAsync(CancellationToken cancellationToken)
    {
        int removed = 0;
        foreach (string uuid in pods.EnumerateLocks().ToList())
        {
            if (pods.Find(uuid) is null)
            {
                using LockFile? mine = await pods.TryLockAsync(uuid, create: false, cancellationToken).ConfigureAwait(false);

                // Looked at again under the lock: whoever makes a pod takes its lock first.
                if (mine is not null && pods.Find(uuid) is null)
                {
                    mine.Delete();
                    removed++;
                }
            }
        }

        return removed;
    }

    private TimeSpan AgeOf(PodLocation location) => time.GetUtcNow().UtcDateTime - Directory.GetLastWriteTimeUtc(location.Directory);
}
