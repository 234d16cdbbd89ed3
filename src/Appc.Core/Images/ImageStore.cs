using Appc.Manifests;

namespace Appc.Images;

/// <summary>Images on disk: the archive as signed, its signature, its tree, its provenance.</summary>
public sealed class ImageStore
{
    /// <summary>Opens or makes the store below a data directory (<c>ROOT/images</c>, <c>ROOT/tmp</c>).</summary>
    public ImageStore(string root, ImageStoreOptions? options = null) => Root = root;
    /// <summary>The data directory.</summary>
    public string Root { get; }
    /// <summary>Imports an archive from a file.</summary>
    public Task<StoredImage> ImportAsync(string archivePath, ImportOptions? options = null, IProgress<ImportProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>Gets an image by id.</summary>
    public Task<StoredImage> GetAsync(ImageId id, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>Gets an image by its id, a unique prefix of one (sha512-ab…), or NAME[:VERSION][,LABEL=VALUE].</summary>
    public Task<StoredImage> ResolveAsync(string reference, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>The best image of a name with these labels; null if there is none.</summary>
    public Task<StoredImage?> FindAsync(AcIdentifier name, IEnumerable<Label>? labels = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>All images, newest first.</summary>
    public Task<IReadOnlyList<StoredImage>> ListAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>The trees of an image and its dependencies, the lowest first, for an overlay stack.</summary>
    public Task<IReadOnlyList<string>> GetLayersAsync(ImageId id, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>Writes the archive as it was signed to a file (and the signature to the same name with .asc, if there is one).</summary>
    public Task ExportAsync(ImageId id, string path, bool overwrite = false, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>Removes an image that nobody uses.</summary>
    public Task RemoveAsync(ImageId id, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>Removes what interrupted calls left. Returns the number of leftovers removed.</summary>
    public Task<int> CollectLeftoversAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>Keeps an image from being removed until the result is disposed (a shared lock; any process).</summary>
    public Task<IDisposable> HoldAsync(ImageId id, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>
    /// Imports an archive that was downloaded into a directory made by <see cref="CreateTemporaryDirectory"/>: the file
    /// is moved, not copied. The verdict was computed over the bytes while they arrived; with null the signature file
    /// (if any) is checked here as <see cref="ImportAsync"/> does. The signature file is copied.
    /// </summary>
    internal Task<StoredImage> ImportDownloadedAsync(
        string temporaryFile,
        string? signatureFile,
        Trust.SignatureVerdict? verdict,
        ImportOptions options,
        IProgress<ImportProgress>? progress = null,
        CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>
    /// Makes a directory of its own below <c>ROOT/tmp</c>. While the holder lives (and its process does) nobody
    /// collects it; disposing the holder removes the directory with all that is in it.
    /// </summary>
    internal string CreateTemporaryDirectory(out IDisposable holder) => throw new NotImplementedException();
}
