using Appc.Linux;
using Appc.Manifests;
using Appc.Trust;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Appc.Images;

/// <summary>
/// Images on disk: the archive as signed, its signature, its tree, its provenance. There is no database: every image
/// is a directory that appears by one rename, and locks are the kernel's. Any number of processes may use one data
/// directory at once, and may be killed at any time. All members are thread safe.
/// </summary>
public sealed partial class ImageStore
{
    // From here on several threads read faster than one.
    private const int ManyImages = 64;

    private readonly ImageStoreOptions _options;
    private readonly StoreLayout _layout;
    private readonly ILogger _log;

    /// <summary>
    /// Opens the store below a data directory (<c>ROOT/images</c>, <c>ROOT/tmp</c>). Nothing is written until the first import.
    /// </summary>
    /// <param name="root">The data directory; need not exist.</param>
    /// <param name="options">How the store behaves; null means the defaults.</param>
    /// <exception cref="ImageException">A newer version of this library made the data directory.</exception>
    public ImageStore(string root, ImageStoreOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        _options = options ?? new ImageStoreOptions();
        _layout = new StoreLayout(root);
        _log = (ILogger?)_options.LoggerFactory?.CreateLogger<ImageStore>() ?? NullLogger.Instance;
        _layout.CheckVersion();
    }

    /// <summary>The data directory, as a full path.</summary>
    public string Root => _layout.Root;

    /// <summary>What must be proven about images where a call does not say it.</summary>
    public TrustPolicy Trust => _options.Trust;

    /// <summary>Whether an image is there, without a look at its files.</summary>
    internal bool Holds(ImageId id) => Directory.Exists(_layout.Image(id));

    /// <summary>Gets an image by id.</summary>
    /// <exception cref="ImageException">It is not in the store (<see cref="ImageFailure.NotFound"/>), or its files are damaged.</exception>
    public Task<StoredImage> GetAsync(ImageId id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        return Task.Run(() => ImageRecord.TryLoad(_layout, id) ?? throw NotFound(id.ToString()), cancellationToken);
    }

    /// <summary>
    /// Gets an image by its id, a unique prefix of one (<c>sha512-ab…</c>, two digits or more), or
    /// <c>NAME[:VERSION][,LABEL=VALUE...]</c>, of which the best fit counts as with <see cref="FindAsync"/>.
    /// </summary>
    /// <exception cref="ImageException">There is no such image, or a prefix fits more than one.</exception>
    public Task<StoredImage> ResolveAsync(string reference, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(reference);
        return Task.Run(() => Resolve(reference, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Gets the id of an image as <see cref="ResolveAsync"/> does. By its id or a prefix, an image is found also if its files
    /// are damaged, so that it can be verified and removed.
    /// </summary>
    /// <exception cref="ImageException">There is no such image, or a prefix fits more than one.</exception>
    public Task<ImageId> ResolveIdAsync(string reference, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(reference);
        return Task.Run(() => ResolveId(reference, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// The best image of a name with these labels; null if there is none. Every label given must be in the image with
    /// the same value; the image may have more. Of several, the highest version (Semantic Versioning) counts, then one
    /// that was asked for without a version, then the newest import.
    /// </summary>
    public Task<StoredImage?> FindAsync(AcIdentifier name, IEnumerable<Label>? labels = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        Label[] wanted = labels?.ToArray() ?? [];
        return Task.Run(() => ImageMatch.Best(ListAll(cancellationToken), name, wanted), cancellationToken);
    }

    /// <summary>All images, newest first.</summary>
    public Task<IReadOnlyList<StoredImage>> ListAsync(CancellationToken cancellationToken = default) => Task.Run<IReadOnlyList<StoredImage>>(
        () =>
        {
            List<StoredImage> images = ListAll(cancellationToken);
            images.Sort((a, b) =>
            {
                int order = b.Provenance.Imported.CompareTo(a.Provenance.Imported);
                return order != 0 ? order : a.Id.CompareTo(b.Id);
            });
            return images;
        },
        cancellationToken);

    /// <summary>The manifest of an image as it stands in its archive; null if it is not stored.</summary>
    internal byte[]? TryReadManifest(ImageId id) => SmallFile.TryReadContent(Path.Combine(_layout.Image(id), StoreLayout.ManifestFile));

    private StoredImage Resolve(string reference, CancellationToken cancellationToken) =>
        reference.StartsWith(ImageMatch.IdPrefix, StringComparison.Ordinal)
            ? ImageRecord.TryLoad(_layout, ResolveId(reference, cancellationToken)) ?? throw NotFound(reference)
            : ResolveName(reference, cancellationToken);

    private StoredImage ResolveName(string reference, CancellationToken cancellationToken)
    {
        (AcIdentifier name, Label[] labels) = ImageMatch.ParseName(reference);
        return ImageMatch.Best(ListAll(cancellationToken), name, labels) ?? throw NotFound(reference);
    }

    private ImageId ResolveId(string reference, CancellationToken cancellationToken)
    {
        if (!reference.StartsWith(ImageMatch.IdPrefix, StringComparison.Ordinal))
        {
            return ResolveName(reference, cancellationToken).Id;
        }

        if (ImageId.TryParse(reference, out ImageId? exact))
        {
            // Whoever may not look into the store is told so by the second look.
            return Directory.Exists(_layout.Image(exact)) || ListIds().Contains(exact) ? exact : throw NotFound(reference);
        }

        ImageMatch.CheckPrefix(reference);
        ImageId[] fitting = ListIds().Where(i => i.ToString().StartsWith(reference, StringComparison.Ordinal)).ToArray();
        return fitting.Length switch
        {
            0 => throw NotFound(reference),
            1 => fitting[0],
            _ => throw new ImageException(
                ImageFailure.Ambiguous, $"{fitting.Length} images have an id that begins with {reference}", "give more digits of the id"),
        };
    }

    private List<ImageId> ListIds()
    {
        _layout.CheckVersion();
        List<ImageId> ids = [];
        try
        {
            foreach (string name in Directory.EnumerateDirectories(_layout.Images))
            {
                if (ImageId.TryParse(Path.GetFileName(name), out ImageId? id))
                {
                    ids.Add(id);
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Nothing was imported yet.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"the images below {Root} cannot be listed");
        }

        return ids;
    }

    private List<StoredImage> ListAll(CancellationToken cancellationToken)
    {
        List<ImageId> ids = ListIds();
        StoredImage?[] found = new StoredImage?[ids.Count];
        using Fd? images = OperatingSystem.IsLinux() && ids.Count > 0 ? OpenImages() : null;
        if (ids.Count < ManyImages)
        {
            for (int i = 0; i < found.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                found[i] = LoadForList(images, ids[i]);
            }
        }
        else
        {
            Parallel.For(0, found.Length, new ParallelOptions { CancellationToken = cancellationToken }, i => found[i] = LoadForList(images, ids[i]));
        }

        return [.. found.OfType<StoredImage>()];
    }

    private Fd OpenImages()
    {
        try
        {
            return Fd.OpenDirectory(_layout.Images);
        }
        catch (IOException e)
        {
            throw StorageFaults.From(e, $"the images below {Root} cannot be listed");
        }
    }

    private StoredImage? LoadForList(Fd? images, ImageId id)
    {
        try
        {
            return images is null ? ImageRecord.TryLoad(_layout, id) : ImageRecord.TryLoad(_layout, images, id);
        }
        catch (AppcException e) when (e is ImageException { Failure: ImageFailure.Storage } or ManifestException)
        {
            // One damaged image must not hide the others.
            _log.DamagedImage(id, e.Message);
            return null;
        }
    }

    private static ImageException NotFound(string what) =>
        new(ImageFailure.NotFound, $"image {ByteText.Show(System.Text.Encoding.UTF8.GetBytes(what))} is not in the store", "fetch or import it first");
}
