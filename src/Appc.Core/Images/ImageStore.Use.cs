using Appc.Manifests;

namespace Appc.Images;

/// <content>Holding, exporting, removing.</content>
public sealed partial class ImageStore
{
    /// <summary>
    /// Keeps an image from being removed until the result is disposed: a shared lock that every process sees and that
    /// ends with this one. Counts as a use of the image.
    /// </summary>
    /// <exception cref="ImageException">It is not in the store, or is being removed.</exception>
    public async Task<IDisposable> HoldAsync(ImageId id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        DirectoryLock taken = await TryHoldAsync(id, cancellationToken).ConfigureAwait(false) ?? throw NotFound(id.ToString());
        MarkUsed(id);
        return taken;
    }

    /// <summary>Takes the shared lock; null if the image is not there.</summary>
    private async Task<DirectoryLock?> TryHoldAsync(ImageId id, CancellationToken cancellationToken)
    {
        long start = _options.TimeProvider.GetTimestamp();
        while (true)
        {
            switch (TryLock(id, exclusive: false, out DirectoryLock? taken))
            {
                case DirectoryLock.Outcome.Taken:
                    return taken;
                case DirectoryLock.Outcome.Missing:
                    return null;
                default:
                    // Exclusive locks are short: an image is being published or removed.
                    if (_options.TimeProvider.GetElapsedTime(start) > BusyWait)
                    {
                        throw InUse(id.ToString(), "another process");
                    }

                    await Task.Delay(BusyStep, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }
    }

    /// <summary>Notes that an image is used now. That it cannot be noted, on a file system that nothing is written to, spoils no use.</summary>
    internal void MarkUsed(ImageId id) => MarkUsed(Path.Combine(_layout.Image(id), StoreLayout.ProvenanceFile));

    private bool MarkUsed(string file) => FileClock.Set(file, _options.TimeProvider.GetUtcNow());

    /// <summary>
    /// Writes the archive as it was signed to a file, byte for byte, and the signature (if there is one) to the same name
    /// with <c>.asc</c> added.
    /// </summary>
    /// <exception cref="ImageException">It is not in the store, or a file exists and may not be replaced.</exception>
    public async Task ExportAsync(ImageId id, string path, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using IDisposable held = await HoldAsync(id, cancellationToken).ConfigureAwait(false);
        string directory = _layout.Image(id);
        string signature = Path.Combine(directory, StoreLayout.SignatureFile);
        List<(string From, string To)> files = [(Path.Combine(directory, StoreLayout.ArchiveFile), path)];
        if (File.Exists(signature))
        {
            files.Add((signature, path + ".asc"));
        }

        if (!overwrite && files.Find(f => File.Exists(f.To)) is { To: { } existing })
        {
            throw new ImageException(ImageFailure.Storage, $"{existing} exists", "choose another name, or allow to overwrite it");
        }

        foreach ((string from, string to) in files)
        {
            await OutputFile.CopyAsync(from, to, overwrite, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Removes an image that no pod, no other image and no other process uses.</summary>
    /// <exception cref="ImageException">It is not in the store, or in use (<see cref="ImageFailure.InUse"/>).</exception>
    public Task RemoveAsync(ImageId id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        return DedicatedThread.RunAsync("appc remove", () =>
        {
            Remove(id, cancellationToken);
            return true;
        });
    }

    private DirectoryLock.Outcome TryLock(ImageId id, bool exclusive, out DirectoryLock? taken)
    {
        try
        {
            return DirectoryLock.TryTake(_layout.Image(id), exclusive, out taken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"image {id} cannot be locked");
        }
    }

    private void Remove(ImageId id, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        DirectoryLock.Outcome outcome = TryLock(id, exclusive: true, out DirectoryLock? taken);
        if (outcome == DirectoryLock.Outcome.Missing)
        {
            throw NotFound(id.ToString());
        }

        if (outcome == DirectoryLock.Outcome.Busy)
        {
            throw InUse(id.ToString(), "another process");
        }

        using (taken)
        {
            if (_options.UserOf(id) is { } user)
            {
                throw InUse(id.ToString(), user);
            }

            CheckDependents(id, cancellationToken);

            try
            {
                Discard(_layout.Image(id), _layout.Images, measure: false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw StorageFaults.From(e, $"image {id} cannot be removed");
            }
        }

        _log.Removed(id);
    }

    /// <summary>An image is in use by another one whose dependency only it fulfils.</summary>
    private void CheckDependents(ImageId id, CancellationToken cancellationToken)
    {
        List<StoredImage> images = ListAll(cancellationToken);
        StoredImage? own = images.Find(i => i.Id == id);

        // Images in a circle never run; were they to keep each other, none of them could be removed.
        HashSet<ImageId> below = Dependencies.Closure(images, id);
        foreach (StoredImage image in images.Where(i => i.Id != id && own is not null && !below.Contains(i.Id)))
        {
            foreach (Dependency dependency in image.Manifest.Dependencies)
            {
                bool needed = dependency.ImageId is { } exact
                    ? exact == id
                    : ImageMatch.Fits(own!.Manifest, dependency.ImageName, dependency.Labels)
                        && !images.Exists(i => i.Id != id && ImageMatch.Fits(i.Manifest, dependency.ImageName, dependency.Labels));
                if (needed)
                {
                    throw InUse(id.ToString(), $"image {image.Manifest.Name} ({image.Id}), which depends on it");
                }
            }
        }
    }
}
