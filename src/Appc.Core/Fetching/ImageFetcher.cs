using Appc.Images;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Fetching;

/// <summary>
/// Brings images into the store from what a user writes: a name that is looked for by discovery, an address, a file.
/// What arrives is checked against its signature as it arrives, and against what was asked for before it is published.
/// One object serves any number of calls at the same time; calls for the same image share the work.
/// </summary>
public sealed class ImageFetcher : IDisposable
{
    private readonly HttpTransport _http;
    private readonly ImageAcquirer _acquirer;

    /// <summary>Makes a fetcher for a store.</summary>
    /// <param name="store">Where images go. The fetcher does not own it.</param>
    /// <param name="verifier">Who checks signatures; null: only <see cref="TrustPolicy.Insecure"/> works.</param>
    /// <param name="options">How it works; null: the defaults.</param>
    /// <exception cref="FetchException">An option cannot be used.</exception>
    public ImageFetcher(ImageStore store, ISignatureVerifier? verifier, ImageFetcherOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        Store = store;
        _http = new HttpTransport(options ?? new ImageFetcherOptions());
        _acquirer = new ImageAcquirer(store, verifier, _http);
        Discovery = new ImageDiscovery(_http);
    }

    /// <summary>The store.</summary>
    public ImageStore Store { get; }

    /// <summary>Discovery by the same connections and rules.</summary>
    public ImageDiscovery Discovery { get; }

    /// <summary>Fetches an image and its dependencies.</summary>
    /// <param name="reference">What a user writes: see <see cref="ImageReference"/>.</param>
    /// <param name="options">How to fetch; null: the defaults, which require a signature.</param>
    /// <param name="progress">Told how far it has come, from any thread, for all images of the call.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="FetchException">The image, or one that it depends on, was not found or could not be brought here.</exception>
    /// <exception cref="TrustException">It is not signed by a key that is trusted for its name.</exception>
    /// <exception cref="ImageException">It is malformed, or another one than was asked for, or the store failed.</exception>
    public async Task<FetchResult> FetchAsync(string reference, FetchOptions? options = null, IProgress<FetchProgress>? progress = null, CancellationToken cancellationToken = default) =>
        await FetchAsync(ImageReference.Parse(reference), options, progress, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="FetchAsync(string, FetchOptions?, IProgress{FetchProgress}?, CancellationToken)"/>
    public async Task<FetchResult> FetchAsync(ImageReference reference, FetchOptions? options = null, IProgress<FetchProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        options ??= new FetchOptions();
        Label[] platform = HostPlatform.Labels(options.Os, options.Arch);
        FetchResult result = reference.Kind switch
        {
            ImageReferenceKind.Id => await ResolveAsync(reference.IdPrefix!, options, cancellationToken).ConfigureAwait(false),
            ImageReferenceKind.File => await ImportFileAsync(reference.Path!, options, progress, cancellationToken).ConfigureAwait(false),
            _ => await _acquirer.AcquireAsync(RequestFor(reference, options, platform), options, progress, cancellationToken).ConfigureAwait(false),
        };

        // Also one that was in the store: a collection must not take it while the others are being fetched.
        Store.MarkUsed(result.Image.Id);
        if (!options.Dependencies || result.Image.Manifest.Dependencies.Count == 0)
        {
            return result;
        }

        var dependencies = new DependencyFetcher((request, token) => _acquirer.AcquireAsync(request, options, progress, token), options, platform);
        IReadOnlyList<FetchResult> fetched = await dependencies.FetchAsync(result.Image, cancellationToken).ConfigureAwait(false);
        foreach (FetchResult dependency in fetched)
        {
            Store.MarkUsed(dependency.Image.Id);
        }

        return result with { Dependencies = fetched };
    }

    /// <summary>Closes connections.</summary>
    public void Dispose()
    {
        Discovery.Dispose();
        _acquirer.Dispose();
        _http.Dispose();
    }

    private static ImageRequest RequestFor(ImageReference reference, FetchOptions options, Label[] platform)
    {
        var request = new ImageRequest
        {
            Name = reference.Name,
            Labels = reference.Labels,
            Url = reference.Url,
            Platform = reference.Name is null ? [] : DependencyFetcher.PlatformFor(null, reference.Labels, platform),
            SignaturePath = options.SignaturePath,
        };
        if (request.Name is not null)
        {
            Label[] all = [.. request.Labels, .. request.Platform];
            string os = all.First(l => l.Name.ToString() == "os").Value;
            string arch = all.First(l => l.Name.ToString() == "arch").Value;
            if (!OsArch.IsKnown(os, arch))
            {
                throw new FetchException(
                    FetchFailure.BadReference, $"{request.Text}: there are no images for os={DisplayText.Clean(os, 40)}, arch={DisplayText.Clean(arch, 40)}",
                    "use the specification's words, such as os=linux with arch=amd64, aarch64, armv7l, i386, ppc64le or s390x");
            }
        }

        return request;
    }

    private async Task<FetchResult> ResolveAsync(string id, FetchOptions options, CancellationToken cancellationToken)
    {
        StoredImage stored = await Store.ResolveAsync(id, cancellationToken).ConfigureAwait(false);
        return options.Trust.SignatureRequired && stored.Provenance.Insecure
            ? throw ImageAcquirer.StoredUnchecked(stored)
            : new FetchResult(stored, FetchOrigin.Store);
    }

    private async Task<FetchResult> ImportFileAsync(string path, FetchOptions options, IProgress<FetchProgress>? progress, CancellationToken cancellationToken)
    {
        var import = new ImportOptions { Trust = options.Trust, SignaturePath = options.SignaturePath, Limits = options.Limits };
        var reporter = new ProgressReporter(progress, DisplayText.Clean(path), _http.Options.TimeProvider);
        StoredImage image = await Store.ImportAsync(path, import, new ImportForwarder(reporter), cancellationToken).ConfigureAwait(false);
        return new FetchResult(image, FetchOrigin.File);
    }
}
