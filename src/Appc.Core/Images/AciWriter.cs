using Appc.Images.Building;
using Appc.Images.Tar;
using Appc.Manifests;

namespace Appc.Images;

/// <summary>
/// Builds images, byte for byte reproducible: the manifest first, then the tree as a walk gives it that takes names by
/// their bytes, in whatever order the entries came; hard links kept as such, the first name with the content; PAX
/// headers only where they are needed. Of a directory the extended attributes <c>user.*</c> and
/// <c>security.capability</c> are kept. Sockets are refused, and so is what overlayfs uses to hide files. Holes of
/// sparse files are written as zeros.
/// </summary>
public static class AciWriter
{
    private const uint ManifestMode = 0x1a4;
    private const int CopyBytes = 256 << 10;

    /// <summary>Builds an image from a manifest and a directory that becomes its rootfs.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="rootfsDirectory">The directory; read without following links.</param>
    /// <param name="outputPath">The image's file, which appears whole or not at all; its name should end in <c>.aci</c>.</param>
    /// <param name="options">How to build; null means the defaults.</param>
    /// <param name="cancellationToken">Cancels the call; no file stays.</param>
    /// <returns>The image's id.</returns>
    /// <exception cref="ImageException">The directory cannot be read or holds what no image may hold, or the file cannot be written.</exception>
    /// <exception cref="ManifestException">The manifest is not valid.</exception>
    public static Task<ImageId> BuildAsync(
        ImageManifest manifest,
        string rootfsDirectory,
        string outputPath,
        AciBuildOptions? options = null,
        CancellationToken cancellationToken = default) =>
        BuildAsync(manifest, rootfsDirectory, outputPath, options, view: null, cancellationToken);

    /// <summary>The same of a tree that is not taken as it is.</summary>
    internal static async Task<ImageId> BuildAsync(
        ImageManifest manifest, string rootfsDirectory, string outputPath, AciBuildOptions? options, TreeView? view, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentException.ThrowIfNullOrEmpty(rootfsDirectory);
        ArgumentException.ThrowIfNullOrEmpty(outputPath);
        options ??= new AciBuildOptions();
        byte[] json = manifest.ToJsonBytes();
        if (!Directory.Exists(rootfsDirectory))
        {
            throw new ImageException(ImageFailure.NotFound, $"there is no directory {rootfsDirectory} to build from");
        }

        EntryTimes times = new(options.FixedTime);
        ITreeSource source = OperatingSystem.IsLinux()
            ? new LinuxTreeSource(rootfsDirectory, view, cancellationToken)
            : new PortableTreeSource(rootfsDirectory, cancellationToken);
        return await WriteAsync(outputPath, options, file => Build(json, null, source, file, options, times.For, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>
    /// Builds an image from a manifest and entries. Contents are opened one after the other while the image is written,
    /// so memory does not grow with them.
    /// </summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="entries">
    /// The entries of the rootfs, in any order. One for the tree's own directory is added if there is none. Directories
    /// above an entry need no entries; without one, an image below decides over the directory, and else it is root's
    /// with mode 0755.
    /// </param>
    /// <param name="outputPath">The image's file, which appears whole or not at all; its name should end in <c>.aci</c>.</param>
    /// <param name="options">How to build; null means the defaults.</param>
    /// <param name="cancellationToken">Cancels the call; no file stays.</param>
    /// <returns>The image's id.</returns>
    /// <exception cref="ImageException">
    /// An entry is nothing that an image can hold, two have the same name, or one lies below a file; a content cannot
    /// be read or has another length; the file cannot be written.
    /// </exception>
    /// <exception cref="ManifestException">The manifest is not valid.</exception>
    public static async Task<ImageId> BuildAsync(
        ImageManifest manifest,
        IEnumerable<AciEntry> entries,
        string outputPath,
        AciBuildOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentException.ThrowIfNullOrEmpty(outputPath);
        options ??= new AciBuildOptions();
        byte[] json = manifest.ToJsonBytes();
        EntryTimes times = new(options.FixedTime);
        return await WriteAsync(outputPath, options, file =>
        {
            EntryTree tree = new(times);
            tree.Add(entries);
            return Build(json, null, tree, file, options, times.For, cancellationToken);
        }).ConfigureAwait(false);
    }

    /// <summary>
    /// Builds an image from another one. What is not changed keeps its metadata to the byte: names, owners, modes,
    /// times, attributes, and the manifest. The order of entries is that of every image built here, whatever the order
    /// was, and the compression is that of <paramref name="options"/>. SOURCE_DATE_EPOCH is a bound for entries that
    /// are added; <see cref="AciBuildOptions.FixedTime"/> and <see cref="AciBuildOptions.OwnerRoot"/> are for all.
    /// </summary>
    /// <param name="imagePath">The image to start from; its archive is checked, its signature is not.</param>
    /// <param name="changes">What is to be different.</param>
    /// <param name="outputPath">
    /// The new image's file, which appears whole or not at all. Its directory needs room for the uncompressed archive
    /// while this runs.
    /// </param>
    /// <param name="options">How to build; null means the defaults.</param>
    /// <param name="cancellationToken">Cancels the call; no file stays.</param>
    /// <returns>The new image's id.</returns>
    /// <exception cref="ImageException">
    /// The archive is malformed or passes a limit; it has nothing at a path that is to be removed; an entry is nothing
    /// that an image can hold; the file cannot be written.
    /// </exception>
    /// <exception cref="ManifestException">A manifest is not valid.</exception>
    public static async Task<ImageId> ChangeAsync(
        string imagePath,
        AciChanges changes,
        string outputPath,
        AciBuildOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(imagePath);
        ArgumentNullException.ThrowIfNull(changes);
        ArgumentException.ThrowIfNullOrEmpty(outputPath);
        options ??= new AciBuildOptions();
        byte[]? json = changes.Manifest?.ToJsonBytes();
        EntryTimes times = new(options.FixedTime);
        if (!File.Exists(imagePath))
        {
            throw new ImageException(ImageFailure.NotFound, $"there is no image {imagePath} to change");
        }

        return await WriteAsync(outputPath, options, file =>
        {
            using FileStream archive = new(imagePath, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
            EntryTree tree = new(times);
            string directory = Path.GetDirectoryName(Path.GetFullPath(outputPath))!;
            using UnpackedArchive unpacked = UnpackedArchive.Read(archive, directory, changes.Limits, tree, cancellationToken);
            foreach (string path in changes.Remove)
            {
                tree.Remove(path);
            }

            tree.Add(changes.Entries);
            return Build(json ?? unpacked.ManifestBytes, unpacked.ManifestEntry, tree, file, options, times.ForKept, cancellationToken);
        }).ConfigureAwait(false);
    }

    private static async Task<ImageId> WriteAsync(string outputPath, AciBuildOptions options, Func<Stream, ImageId> build)
    {
        if (!options.Overwrite && File.Exists(outputPath))
        {
            throw new ImageException(ImageFailure.Storage, $"{outputPath} exists", "choose another name, or allow to overwrite it");
        }

        ImageId? id = null;
        await OutputFile.WriteAsync(outputPath, options.Overwrite, async file =>
        {
            id = await DedicatedThread.RunAsync("appc build", () => build(file)).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return id!;
    }

    private static ImageId Build(
        byte[] manifest,
        TarEntry? manifestEntry,
        ITreeSource source,
        Stream file,
        AciBuildOptions options,
        Func<TarTime, TarTime> time,
        CancellationToken cancellationToken)
    {
        using ArchiveOutput output = new(file, options.Compression);
        TarWriter tar = new(output);
        byte[] buffer = new byte[CopyBytes];
        bool first = true;
        source.Walk((entry, content) =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            Settle(entry);
            if (first)
            {
                WriteManifest(entry.ModifyTime);
                first = false;
            }

            tar.WriteHeader(entry);
            if (content is not null)
            {
                Copy(content, entry, tar, buffer, cancellationToken);
            }
        });
        tar.Complete();
        return ImageId.Parse(ImageMatch.IdPrefix + Convert.ToHexStringLower(output.Complete()));

        void Settle(TarEntry entry)
        {
            entry.ModifyTime = time(entry.ModifyTime);
            if (options.OwnerRoot)
            {
                entry.Uid = 0;
                entry.Gid = 0;
            }
        }

        void WriteManifest(TarTime treeTime)
        {
            // Where the manifest has no file of its own it takes the time of the tree's directory.
            TarEntry entry = manifestEntry ?? new TarEntry { Mode = ManifestMode, ModifyTime = treeTime with { Nanoseconds = 0 } };
            entry.Name = "manifest"u8.ToArray();
            entry.Length = manifest.Length;
            Settle(entry);
            tar.WriteHeader(entry);
            tar.WriteContent(manifest);
            tar.Pad(manifest.Length);
        }
    }

    private static void Copy(Stream content, TarEntry entry, TarWriter tar, byte[] buffer, CancellationToken cancellationToken)
    {
        long left = entry.Length;
        int length;
        while ((length = content.Read(buffer)) > 0 && length <= left)
        {
            cancellationToken.ThrowIfCancellationRequested();
            tar.WriteContent(buffer.AsSpan(0, length));
            left -= length;
        }

        if (length > 0 || left > 0)
        {
            throw new ImageException(
                ImageFailure.Storage,
                $"'{entry.ShownName}' has another length than was said, or changed while it was read",
                "build from files that nobody writes to");
        }

        tar.Pad(entry.Length);
    }
}
