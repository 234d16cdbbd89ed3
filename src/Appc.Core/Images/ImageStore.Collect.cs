using Appc.Linux;
using Appc.Manifests;

namespace Appc.Images;

/// <content>Removing what nobody uses any more.</content>
public sealed partial class ImageStore
{
    /// <summary>
    /// Removes images that were not used for a while, rendered trees that were not, and what interrupted calls left. Images
    /// stay that a pod, another process or an image that stays uses. Safe beside any other call, in any process: whatever
    /// is being used is locked, and what was used in between is seen under the lock.
    /// </summary>
    /// <param name="options">What is removed; null means the defaults.</param>
    /// <param name="cancellationToken">Cancels the call; what was removed before stays removed.</param>
    /// <exception cref="ImageException">The store cannot be read.</exception>
    public Task<ImageCollectReport> CollectAsync(ImageCollectOptions? options = null, CancellationToken cancellationToken = default) =>
        DedicatedThread.RunAsync("appc collect", () => Collect(options ?? new ImageCollectOptions(), cancellationToken));

    /// <summary>
    /// Removes what interrupted calls left in <c>ROOT/tmp</c>; what a living call works on stays. Returns the number of
    /// leftovers removed.
    /// </summary>
    public Task<int> CollectLeftoversAsync(CancellationToken cancellationToken = default) =>
        DedicatedThread.RunAsync("appc collect", () => CollectLeftovers(dryRun: false, out _, cancellationToken));

    private ImageCollectReport Collect(ImageCollectOptions options, CancellationToken cancellationToken)
    {
        DateTimeOffset oldest = _options.TimeProvider.GetUtcNow() - options.GracePeriod;
        CollectPlan plan = Plan(oldest, cancellationToken);
        List<CollectedImage> removed = [];
        List<string> failures = [];
        foreach (StoredImage image in plan.Order())
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (!plan.IsKept(image.Id) && TryCollect(image, plan, oldest, options.DryRun, cancellationToken) is { } gone)
                {
                    removed.Add(gone);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ImageException)
            {
                plan.Keep(image.Id, image.Manifest.Name, ImageKeepReason.Damaged, e.Message);
                failures.Add($"image {image.Id}: {e.Message}");
            }
        }

        List<string> trees = [];
        long treeBytes = 0;
        foreach (KeptImage image in plan.Kept)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                treeBytes += CollectRendered(image.Id, oldest, options.DryRun, trees);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ImageException)
            {
                failures.Add($"rendered trees of image {image.Id}: {e.Message}");
            }
        }

        int leftovers = CollectLeftovers(options.DryRun, out long leftoverBytes, cancellationToken);
        return new ImageCollectReport
        {
            Removed = removed,
            Kept = plan.Kept.ToArray(),
            RenderedTrees = trees,
            Leftovers = leftovers,
            BytesFreed = removed.Sum(r => r.Bytes) + treeBytes + leftoverBytes,
            Failures = failures,
        };
    }

    /// <summary>Finds what stays, as far as can be seen without locking anything.</summary>
    private CollectPlan Plan(DateTimeOffset oldest, CancellationToken cancellationToken)
    {
        List<StoredImage> images = ListAll(cancellationToken);
        CollectPlan plan = new(images);
        foreach (StoredImage image in images)
        {
            KeepIfUsed(plan, image, oldest);
        }

        KeepNew(plan, cancellationToken);
        return plan;
    }

    private bool KeepIfUsed(CollectPlan plan, StoredImage image, DateTimeOffset oldest)
    {
        if (image.LastUsed > oldest)
        {
            plan.Keep(image.Id, image.Manifest.Name, ImageKeepReason.UsedLately, $"used last at {image.LastUsed.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z");
            return true;
        }

        if (_options.UserOf(image.Id) is { } user)
        {
            plan.Keep(image.Id, image.Manifest.Name, ImageKeepReason.InUse, $"{user} uses it");
            return true;
        }

        return false;
    }

    /// <summary>Keeps what was not there when the collection began, and what cannot be read.</summary>
    private void KeepNew(CollectPlan plan, CancellationToken cancellationToken)
    {
        foreach (ImageId id in ListIds().Where(id => !plan.Knows(id) && !plan.IsKept(id)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (ImageRecord.TryLoad(_layout, id) is { } image)
                {
                    plan.Add(image);
                    plan.Keep(id, image.Manifest.Name, ImageKeepReason.UsedLately, "it came while images were collected");
                }
            }
            catch (ImageException e)
            {
                plan.Keep(id, null, ImageKeepReason.Damaged, e.Message);
            }
        }
    }

    /// <summary>Removes an image, if it is still as unused as it was; null if it stays or went by itself.</summary>
    private CollectedImage? TryCollect(StoredImage seen, CollectPlan plan, DateTimeOffset oldest, bool dryRun, CancellationToken cancellationToken)
    {
        ImageId id = seen.Id;
        DirectoryLock.Outcome outcome = TryLock(id, exclusive: true, out DirectoryLock? taken);
        if (outcome == DirectoryLock.Outcome.Busy)
        {
            plan.Keep(id, seen.Manifest.Name, ImageKeepReason.Held, "another process uses it");
        }

        if (outcome != DirectoryLock.Outcome.Taken)
        {
            return null;
        }

        using (taken)
        {
            if (ImageRecord.TryLoad(_layout, id) is not { } image || KeepIfUsed(plan, image, oldest))
            {
                return null;
            }

            KeepNew(plan, cancellationToken);
            if (plan.IsKept(id))
            {
                return null;
            }

            long bytes = dryRun ? DiskUsage.Measure(_layout.Image(id)) : Discard(_layout.Image(id), _layout.Images, measure: true);
            if (!dryRun)
            {
                _log.Removed(id);
            }

            return new CollectedImage(id, image.Manifest.Name, image.LastUsed, bytes);
        }
    }

    /// <summary>Removes rendered trees that were not used for long; a tree is looked for and used under the image's shared lock.</summary>
    private long CollectRendered(ImageId id, DateTimeOffset oldest, bool dryRun, List<string> removed)
    {
        string parent = Path.Combine(_layout.Image(id), StoreLayout.RenderedDirectory);
        if (OldTrees(parent, oldest).Count == 0
            || TryLock(id, exclusive: true, out DirectoryLock? taken) != DirectoryLock.Outcome.Taken)
        {
            return 0;
        }

        long bytes = 0;
        using (taken)
        {
            if (_options.UserOf(id) is not null)
            {
                return 0;
            }

            foreach (string path in OldTrees(parent, oldest))
            {
                string tree = path[..^StoreLayout.RenderedRecordSuffix.Length];
                if (Directory.Exists(tree))
                {
                    bytes += dryRun ? DiskUsage.Measure(tree) : Discard(tree, parent, measure: true);
                    removed.Add(Path.GetRelativePath(Root, tree));
                }

                if (!dryRun)
                {
                    File.Delete(path);
                }
            }
        }

        return bytes;
    }

    /// <summary>
    /// Records, by their paths, of rendered trees that were not used for long. A tree without a record was made before
    /// there were any. Empty, too, for an image that another process removes meanwhile: this looks without its lock at first.
    /// </summary>
    private static List<string> OldTrees(string parent, DateTimeOffset oldest)
    {
        if (!Directory.Exists(parent))
        {
            return [];
        }

        try
        {
            IEnumerable<string> records = Directory.EnumerateFiles(parent, "*" + StoreLayout.RenderedRecordSuffix)
                .Where(r => File.GetLastWriteTimeUtc(r) <= oldest);
            IEnumerable<string> unrecorded = Directory.EnumerateDirectories(parent)
                .Select(d => d + StoreLayout.RenderedRecordSuffix).Where(r => !File.Exists(r));
            return [.. records.Concat(unrecorded)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    /// <summary>
    /// First out of sight by one rename, then file by file; a kill in between leaves a leftover. Returns the bytes that
    /// became free if these are wanted, which takes a walk. To be called under the image's exclusive lock.
    /// </summary>
    private long Discard(string directory, string parent, bool measure)
    {
        using TemporaryDirectory work = TemporaryDirectory.Create(_layout);
        string doomed = Path.Combine(work.Path, "doomed");
        Directory.Move(directory, doomed);
        SyncDirectory(parent);
        long bytes = measure ? DiskUsage.Measure(doomed) : 0;
        TreeRemover.Remove(doomed);
        return bytes;
    }

    private int CollectLeftovers(bool dryRun, out long bytes, CancellationToken cancellationToken)
    {
        int removed = 0;
        bytes = 0;
        _layout.CheckVersion();
        if (!Directory.Exists(_layout.Temporary))
        {
            return 0;
        }

        foreach (string path in ListTemporary())
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (DirectoryLock.TryTake(path, exclusive: true, out DirectoryLock? taken) == DirectoryLock.Outcome.Taken)
                {
                    using (taken)
                    {
                        bytes += DiskUsage.Measure(path);
                        removed++;
                        if (!dryRun)
                        {
                            TreeRemover.Remove(path);
                        }
                    }
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _log.LeftoverStays(path, e.Message);
            }
        }

        if (removed > 0 && !dryRun)
        {
            _log.LeftoversRemoved(removed);
        }

        return removed;
    }

    private string[] ListTemporary()
    {
        try
        {
            return Directory.GetDirectories(_layout.Temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"what is left in {_layout.Temporary} cannot be listed");
        }
    }
}
