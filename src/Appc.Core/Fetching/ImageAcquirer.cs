using System.Globalization;
using Appc.Images;
using Appc.Trust;

namespace Appc.Fetching;

/// <summary>Gets one image, without those it depends on: from the store, by discovery, or from an address.</summary>
internal sealed partial class ImageAcquirer(ImageStore store, ISignatureVerifier? verifier, HttpTransport http) : IDisposable
{
    /// <summary>Places of one image that are tried. A page could name any number.</summary>
    private const int MaxPlaces = 16;

    private readonly Downloader _downloader = new(http);
    private readonly ImageDiscovery _discovery = new(http);
    private readonly RemoteRecords _records = new(store.Root);
    private readonly SharedWork<RequestKey, FetchResult> _shared = new();
    private readonly SemaphoreSlim _slots = new(Math.Max(1, http.Options.MaxParallelDownloads));

    private TimeProvider Time => http.Options.TimeProvider;

    /// <summary>Gets an image; those who want the same one at the same time get it from the same work.</summary>
    public Task<FetchResult> AcquireAsync(ImageRequest request, FetchOptions options, IProgress<FetchProgress>? progress, CancellationToken cancellationToken) =>
        _shared.RunAsync(
            request.Key(options),
            (shared, token) => request.Url is null ? AcquireNameAsync(request, options, shared, token) : AcquireUrlAsync(request, options, shared, token),
            progress,
            cancellationToken);

    public void Dispose()
    {
        _discovery.Dispose();
        _slots.Dispose();
    }

    private async Task<FetchResult> AcquireNameAsync(ImageRequest request, FetchOptions options, IProgress<FetchProgress> progress, CancellationToken cancellationToken)
    {
        if (options.PullPolicy != PullPolicy.Update || request.ExpectedId is not null)
        {
            StoredImage? stored = await FindInStoreAsync(request, cancellationToken).ConfigureAwait(false);
            if (stored is not null && await IsAcceptableAsync(stored, options, cancellationToken).ConfigureAwait(false))
            {
                return new FetchResult(stored, FetchOrigin.Store);
            }

            if (options.PullPolicy == PullPolicy.Never)
            {
                throw new FetchException(FetchFailure.NotInStore, $"{request.Text} is not in the store, and the pull policy forbids the network", "fetch it first, or use the pull policy new");
            }
        }

        DiscoveryResult discovery = await DiscoverAsync(request, options, progress, cancellationToken).ConfigureAwait(false);
        return await TryPlacesAsync(request, discovery, options, progress, cancellationToken).ConfigureAwait(false);
    }

    private async Task<DiscoveryResult> DiscoverAsync(ImageRequest request, FetchOptions options, IProgress<FetchProgress> progress, CancellationToken cancellationToken)
    {
        new ProgressReporter(progress, request.Text, Time).Report("discovering", 0, null);
        var discoveryOptions = new DiscoveryOptions { AllowHttp = options.AllowHttp, PublicKeys = false, DefaultPlatform = false };
        DiscoveryResult discovery = await _discovery.DiscoverAsync(request.Name!, request.Labels.Concat(request.Platform), discoveryOptions, cancellationToken).ConfigureAwait(false);
        if (discovery.Images.Count > 0)
        {
            return discovery;
        }

        const int Shown = 4;
        string tried = string.Join("; ", discovery.Tried.Take(Shown).Select(t => t.Detail.StartsWith(t.Url, StringComparison.Ordinal) ? t.Detail : $"{DisplayText.Clean(t.Url)}: {t.Detail}"));
        string more = discovery.Tried.Count > Shown ? string.Create(CultureInfo.InvariantCulture, $"; and {discovery.Tried.Count - Shown} more") : "";
        throw new FetchException(FetchFailure.DiscoveryFailed, $"no place offers {request.Text}: {tried}{more}", "check the name; 'appc discover' shows every step")
        {
            Discovery = discovery,
        };
    }

    /// <summary>Tries the places in the order of discovery. A place that does not deliver leads to the next; one that delivers something wrong does not.</summary>
    private async Task<FetchResult> TryPlacesAsync(ImageRequest request, DiscoveryResult discovery, FetchOptions options, IProgress<FetchProgress> progress, CancellationToken cancellationToken)
    {
        AppcException? first = null;
        DiscoveredImage[] places = [.. discovery.Images.Take(MaxPlaces)];
        foreach (DiscoveredImage place in places)
        {
            try
            {
                (Uri aci, Uri asc) = (ParsePlace(place.Aci), ParsePlace(place.Asc));
                FetchResult result = await DownloadAsync(request, aci, asc, options, progress, cancellationToken).ConfigureAwait(false);
                return result with { Discovery = discovery };
            }
            catch (AppcException e) when (e is FetchException or TrustException { Failure: TrustFailure.Unsigned })
            {
                if (place != places[^1])
                {
                    FetchLog.PlaceFailed(http.Log, e.Message);
                }

                first ??= e;
            }
        }

        throw first!;
    }

    private static Uri ParsePlace(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "https" or "http" && url.UserInfo.Length == 0
            ? url
            : throw new FetchException(FetchFailure.NotAllowed, $"discovery gives the address '{DisplayText.Clean(text)}', which is not one of https");

    private async Task<StoredImage?> FindInStoreAsync(ImageRequest request, CancellationToken cancellationToken)
    {
        if (request.ExpectedId is { } id)
        {
            StoredImage? pinned = await TryGetAsync(id, cancellationToken).ConfigureAwait(false);
            return pinned is not null && pinned.Manifest.Name == request.Name ? pinned : null;
        }

        // An image for the platform goes before one that names none; one for another platform does not count.
        StoredImage? stored = await store.FindAsync(request.Name!, request.Labels.Concat(request.Platform), cancellationToken).ConfigureAwait(false);
        if (stored is null && request.Platform.Count > 0)
        {
            stored = await store.FindAsync(request.Name!, request.Labels, cancellationToken).ConfigureAwait(false);
        }

        return stored is not null && request.FitsPlatform(stored.Manifest) ? stored : null;
    }

    private async Task<StoredImage?> TryGetAsync(Manifests.ImageId id, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetAsync(id, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageException e) when (e.Failure == ImageFailure.NotFound)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether a stored image would do under the policy and with today's keys. If not, it is brought here again, with a
    /// signature of today; where the network is forbidden, the reason is thrown.
    /// </summary>
    private async Task<bool> IsAcceptableAsync(StoredImage stored, FetchOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await store.CheckTrustAsync(stored.Id, options.Trust, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TrustException e) when (options.PullPolicy != PullPolicy.Never)
        {
            FetchLog.StoredNotTrusted(http.Log, e.Message);
            return false;
        }
    }
}
