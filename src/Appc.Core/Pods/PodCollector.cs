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
        await SweepAsync(uuid, mine, cancellationToken).ConfigureAwait(false);
    }

    public async Task<GarbageReport> CollectAsync(GarbageOptions options, CancellationToken cancellationToken)
    {
        List<string> removed = [];
        List<string> marked = [];
        List<string> failures = [];
        foreach (PodLocation location in pods.Enumerate().ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                switch (await CollectOneAsync(location, options, cancellationToken).ConfigureAwait(false))
                {
                    case Outcome.Removed:
                        removed.Add(location.Uuid);
                        break;
                    case Outcome.Marked:
                        marked.Add(location.Uuid);
                        break;
                }
            }
            catch (Exception e) when (e is AppcException or IOException or UnauthorizedAccessException)
            {
                logger.RemoveFailed(location.Uuid, e);
                failures.Add($"pod {location.Uuid}: {e.Message}");
            }
        }

        await RemoveOrphanedLocksAsync(cancellationToken).ConfigureAwait(false);
        return new GarbageReport
        {
            Removed = removed,
            Marked = marked,
            Failures = failures,
            ImageLeftovers = options.MarkOnly ? 0 : await images.CollectLeftoversAsync(cancellationToken).ConfigureAwait(false),
        };
    }

    /// <exception cref="PodException">A newer version wrote the pod's record: it is not ours to move or remove.</exception>
    private static void RefuseNewer(PodLocation location) => _ = PodFiles.ReadRecord(location.Directory);

    private enum Outcome
    {
        Kept,
        Marked,
        Removed,
    }

    private async Task<Outcome> CollectOneAsync(PodLocation location, GarbageOptions options, CancellationToken cancellationToken)
    {
        PodState state = PodStatusReader.StateOf(pods, location);
        bool due = state switch
        {
            PodState.Exited or PodState.AbortedPrepare or PodState.Garbage => true,
            PodState.ExitedGarbage => AgeOf(location) >= options.GracePeriod,
            PodState.Prepared => AgeOf(location) >= options.ExpirePrepared,
            _ => false,
        };
        if (!due)
        {
            return Outcome.Kept;
        }

        using LockFile? mine = await pods.TryLockAsync(location.Uuid, create: true, cancellationToken).ConfigureAwait(false);
        if (mine is null || !Directory.Exists(location.Directory))
        {
            return Outcome.Kept;
        }

        RefuseNewer(location);
        if (state == PodState.Exited && (options.GracePeriod > TimeSpan.Zero || options.MarkOnly))
        {
            // The time of the mark is when the grace period begins.
            Directory.SetLastWriteTimeUtc(location.Directory, time.GetUtcNow().UtcDateTime);
            pods.Move(location, PodPhase.ExitedGarbage);
            return Outcome.Marked;
        }

        if (options.MarkOnly)
        {
            return Outcome.Kept;
        }

        await SweepAsync(location.Uuid, mine, cancellationToken).ConfigureAwait(false);
        return Outcome.Removed;
    }

    /// <summary>Removes a pod whose lock is held, wherever it lies.</summary>
    private async Task SweepAsync(string uuid, LockFile mine, CancellationToken cancellationToken)
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

        await CollectStage1Async(location, cancellationToken).ConfigureAwait(false);
        TreeRemover.Remove(location.Directory);
        mine.Delete();
        logger.Removed(uuid);
    }

    private async Task CollectStage1Async(PodLocation location, CancellationToken cancellationToken)
    {
        if (PodFiles.ReadRecord(location.Directory) is not { } record || PodFiles.TryReadManifest(location.Directory) is not { } manifest)
        {
            // Half prepared, half removed or damaged: nobody can tell which flavour it was, so each may look.
            foreach (IStage1 each in stage1s)
            {
                await each.CollectAsync(PodDescription.Bare(pods.Root, location), cancellationToken).ConfigureAwait(false);
            }

            return;
        }

        IStage1 stage1 = stage1s.FirstOrDefault(s => s.Name == record.Stage1) ?? throw new PodException(
            PodFailure.HostUnsuitable, $"the pod {location.Uuid} needs the stage1 flavour {record.Stage1} to be collected, which is not registered");
        await stage1.CollectAsync(PodDescription.Make(pods.Root, location, manifest, record), cancellationToken).ConfigureAwait(false);
    }

    private async Task RemoveOrphanedLocksAsync(CancellationToken cancellationToken)
    {
        foreach (string uuid in pods.EnumerateLocks().ToList())
        {
            if (pods.Find(uuid) is null)
            {
                using LockFile? mine = await pods.TryLockAsync(uuid, create: false, cancellationToken).ConfigureAwait(false);

                // Looked at again under the lock: whoever makes a pod takes its lock first.
                if (mine is not null && pods.Find(uuid) is null)
                {
                    mine.Delete();
                }
            }
        }
    }

    private TimeSpan AgeOf(PodLocation location) => time.GetUtcNow().UtcDateTime - Directory.GetLastWriteTimeUtc(location.Directory);
}
