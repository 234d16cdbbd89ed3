using Appc.Linux;
using Appc.Manifests;

namespace Appc.Images;

/// <content>Making an image durable and visible.</content>
public sealed partial class ImageStore
{
    private static readonly TimeSpan BusyWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BusyStep = TimeSpan.FromMilliseconds(10);

    private StoredImage Publish(ImageImport import, ImageProvenance provenance)
    {
        MakeDurable(import.Directory);
        string target = _layout.Image(import.Id);
        while (true)
        {
            if (TryRename(import.Directory.Path, target))
            {
                // The lock of the work directory is the image's now: nobody can remove it before it was read.
                using DirectoryLock held = import.Directory.Release();
                SyncDirectory(_layout.Images);
                _log.Imported(import.Manifest.Name, provenance.Source, import.Id);
                return ImageRecord.TryLoad(_layout, import.Id) ?? throw NotFound(import.Id.ToString());
            }

            if (KeepStored(import, provenance) is { } stored)
            {
                return stored;
            }
        }
    }

    /// <summary>
    /// The image is in the store already, and that one stays, whose layers pods may be using. Only if it came in without
    /// a check and this one was checked, its archive, signature and provenance are exchanged for the checked ones.
    /// </summary>
    /// <returns>The stored image; null if it went away in the meantime.</returns>
    private StoredImage? KeepStored(ImageImport import, ImageProvenance provenance)
    {
        string directory = _layout.Image(import.Id);
        using DirectoryLock? held = Wait(directory, exclusive: false);
        if (held is null || ImageRecord.TryLoad(_layout, import.Id) is not { } stored)
        {
            return null;
        }

        if (stored.Provenance.Insecure && !provenance.Insecure)
        {
            // The provenance last: until it is there, the image counts as unchecked, and that is true of any state before.
            foreach (string name in (string[])[StoreLayout.ArchiveFile, StoreLayout.SignatureFile, StoreLayout.ProvenanceFile])
            {
                File.Move(Path.Combine(import.Directory.Path, name), Path.Combine(directory, name), overwrite: true);
                SyncDirectory(directory);
            }

            _log.NowVerified(import.Id, provenance.Signer!.Fingerprint);
            return ImageRecord.TryLoad(_layout, import.Id);
        }

        _log.AlreadyStored(import.Id);
        MarkUsed(import.Id);
        return stored with { LastUsed = provenance.Imported };
    }

    /// <summary>One flush of the file system rather than one per file: an image has thousands.</summary>
    private static void MakeDurable(TemporaryDirectory directory)
    {
        if (OperatingSystem.IsLinux())
        {
            ErrnoException.ThrowIfFailed(Libc.syncfs(directory.Lock.Directory.Number), "syncfs");
            return;
        }

        foreach (string file in Directory.EnumerateFiles(directory.Path))
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.ReadWrite);
            stream.Flush(flushToDisk: true);
        }
    }

    private static unsafe bool TryRename(string from, string to)
    {
        if (!OperatingSystem.IsLinux())
        {
            if (Directory.Exists(to))
            {
                return false;
            }

            Directory.Move(from, to);
            return true;
        }

        fixed (byte* f = Fd.PathBytes(from))
        fixed (byte* t = Fd.PathBytes(to))
        {
            int result = Libc.RenameAt2(Libc.AT_FDCWD, f, Libc.AT_FDCWD, t, Libc.RENAME_NOREPLACE);
            if (result < 0 && Errno.Last == Errno.EEXIST)
            {
                return false;
            }

            ErrnoException.ThrowIfFailed(result, "rename");
            return true;
        }
    }

    private static void SyncDirectory(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            using Fd directory = Fd.OpenDirectory(path);
            ErrnoException.ThrowIfFailed(Libc.fsync(directory.Number), "fsync");
        }
    }

    /// <summary>Waits for a lock on a dedicated thread; null if the directory is not there or goes.</summary>
    private DirectoryLock? Wait(string directory, bool exclusive)
    {
        long start = _options.TimeProvider.GetTimestamp();
        while (true)
        {
            switch (DirectoryLock.TryTake(directory, exclusive, out DirectoryLock? taken))
            {
                case DirectoryLock.Outcome.Taken:
                    return taken;
                case DirectoryLock.Outcome.Missing:
                    return null;
                default:
                    if (_options.TimeProvider.GetElapsedTime(start) > BusyWait)
                    {
                        throw InUse(Path.GetFileName(directory), "another process");
                    }

                    Thread.Sleep(BusyStep);
                    break;
            }
        }
    }

    private static ImageException InUse(string id, string user) =>
        new(ImageFailure.InUse, $"image {id} is in use by {user}", "try again when it is free");
}
