using Appc.Images.Rendering;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Images;

/// <content>Trees that leave the store.</content>
public sealed partial class ImageStore
{
    /// <summary>
    /// Writes an image together with its dependencies, as a pod would see it, to a directory: a copy, with owners, modes,
    /// times, attributes and links, that can be changed without harm to the store. The directory appears whole or not at all.
    /// </summary>
    /// <param name="id">The image.</param>
    /// <param name="directory">The directory to make; it must not exist, or be empty.</param>
    /// <param name="cancellationToken">Cancels the call; nothing stays.</param>
    /// <exception cref="ImageException">The image or a dependency is not in the store, or the directory cannot be written.</exception>
    public Task RenderAsync(ImageId id, string directory, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        return DedicatedThread.RunAsync("appc render", () =>
        {
            using HeldImages held = HoldWithDependencies(id, cancellationToken);
            WriteTree(held.Images, directory, work => new TreeRenderer(work, cancellationToken, copy: true).Render(held.Tree));
            return true;
        });
    }

    /// <summary>
    /// Writes an image's own files to a directory, without its dependencies; otherwise as <see cref="RenderAsync"/>.
    /// </summary>
    /// <param name="id">The image.</param>
    /// <param name="directory">The directory to make; it must not exist, or be empty.</param>
    /// <param name="cancellationToken">Cancels the call; nothing stays.</param>
    /// <exception cref="ImageException">The image is not in the store, or the directory cannot be written.</exception>
    public Task ExtractAsync(ImageId id, string directory, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        return DedicatedThread.RunAsync("appc extract", () =>
        {
            using DirectoryLock held = Wait(_layout.Image(id), exclusive: false) ?? throw NotFound(id.ToString());
            StoredImage image = ImageRecord.TryLoad(_layout, id) ?? throw NotFound(id.ToString());
            WriteTree([image], directory, work => new TreeRenderer(work, cancellationToken, copy: true).RenderOwn(image));
            return true;
        });
    }

    private void WriteTree(IReadOnlyList<StoredImage> images, string directory, Func<string, string> write)
    {
        foreach (StoredImage image in images)
        {
            RequireTree(image);
            MarkUsed(image.Id);
        }

        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        string work = Path.Combine(Path.GetDirectoryName(full) ?? "/", $".{Path.GetFileName(full)}.{Guid.NewGuid():N}");
        try
        {
            if (File.Exists(full) || (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any()))
            {
                throw new ImageException(ImageFailure.Storage, $"{full} exists and is not an empty directory", "choose another name");
            }

            if (!Directory.Exists(Path.GetDirectoryName(full)))
            {
                throw new ImageException(ImageFailure.Storage, $"there is no directory {Path.GetDirectoryName(full)}", "make it first");
            }

            CreatePrivateDirectory(work);
            string written = write(work);
            if (Directory.Exists(full))
            {
                Directory.Delete(full);
            }

            if (!TryRename(written, full))
            {
                throw new ImageException(ImageFailure.Storage, $"{full} was made by somebody else meanwhile", "choose another name");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"{full} cannot be written");
        }
        finally
        {
            TreeRemover.Remove(work);
        }
    }

    // Until it is whole, nobody else reaches what may hold set-uid files.
    private static void CreatePrivateDirectory(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
