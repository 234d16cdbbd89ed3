using System.Diagnostics;
using System.Globalization;
using System.Text;
using Appc.Manifests;

namespace Appc.Fetching;

/// <summary>
/// Finds where an image and the keys for it are offered, from the image's name alone (specification: App Container Image
/// Discovery). A name is a host and a path; the host's pages say in meta tags where its images lie.
/// </summary>
public sealed class ImageDiscovery : IDisposable
{
    private const int MaxPageBytes = 1 << 20;
    private const int MaxKeyBytes = 1 << 20;
    private const string SimpleTemplate = "https://{name}-{version}-{os}-{arch}.{ext}";

    private readonly HttpTransport _http;
    private readonly bool _owned;

    /// <summary>Makes a discovery client.</summary>
    /// <exception cref="FetchException">An option cannot be used.</exception>
    public ImageDiscovery(ImageFetcherOptions? options = null)
        : this(new HttpTransport(options ?? new ImageFetcherOptions()), owned: true)
    {
    }

    internal ImageDiscovery(HttpTransport http, bool owned = false)
    {
        _http = http;
        _owned = owned;
    }

    /// <summary>Looks for an image by <c>NAME[:VERSION][,LABEL=VALUE...]</c>.</summary>
    /// <returns>What was found, perhaps nothing, and every request that was made.</returns>
    /// <exception cref="FetchException">The reference is malformed, or not a name.</exception>
    public Task<DiscoveryResult> DiscoverAsync(string reference, DiscoveryOptions? options = null, CancellationToken cancellationToken = default) =>
        DiscoverAsync(ImageReference.Parse(reference), options, cancellationToken);

    /// <summary>Looks for an image by name and labels.</summary>
    /// <returns>What was found, perhaps nothing, and every request that was made.</returns>
    /// <exception cref="FetchException">The reference is not a name.</exception>
    public Task<DiscoveryResult> DiscoverAsync(ImageReference reference, DiscoveryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return reference.Name is { } name
            ? DiscoverAsync(name, reference.Labels, options, cancellationToken)
            : throw new FetchException(FetchFailure.BadReference, $"'{DisplayText.Clean(reference.ToString())}' is not an image name, and only names can be discovered");
    }

    /// <summary>Looks for an image by name and labels.</summary>
    /// <returns>What was found, perhaps nothing, and every request that was made.</returns>
    public async Task<DiscoveryResult> DiscoverAsync(
        AcIdentifier name, IEnumerable<Label>? labels, DiscoveryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        options ??= new DiscoveryOptions();
        Dictionary<string, string> values = TemplateValues(name, labels ?? [], options);
        var images = new List<DiscoveredImage>();
        IReadOnlyList<string> keys = [];
        var tried = new List<DiscoveryAttempt>();
        using Activity? activity = FetchTelemetry.Discovery(name.ToString());
        if (options is { Images: true, SimpleDiscovery: true } && DiscoveryPage.TryRender(SimpleTemplate, values, out DiscoveredImage? simple, out _))
        {
            images.Add(simple);
        }

        // The nearest page that has something decides: the name's own, then its parent's, up to the host's.
        bool needImages = options.Images;
        bool needKeys = options.PublicKeys;

        // Nobody listens: asked again for the first page only, and not where plain http comes next.
        bool repeatRefused = !options.AllowHttp;
        for (string? path = name.ToString(); path is not null && (needImages || needKeys); path = Parent(path))
        {
            DiscoveryPage? page = await ReadPageAsync("https", path, name, values, needImages, needKeys, repeatRefused, tried, cancellationToken).ConfigureAwait(false);
            if (page is null && options.AllowHttp)
            {
                page = await ReadPageAsync("http", path, name, values, needImages, needKeys, repeatRefused, tried, cancellationToken).ConfigureAwait(false);
            }

            repeatRefused = false;
            if (needImages && page?.Images.Count > 0)
            {
                images.AddRange(page.Images);
                needImages = false;
            }

            if (needKeys && page?.PublicKeys.Count > 0)
            {
                keys = page.PublicKeys;
                needKeys = false;
            }
        }

        var result = new DiscoveryResult { Images = images, PublicKeys = keys, Tried = tried };
        FetchTelemetry.Discovered(activity, result);
        return result;
    }

    /// <summary>Downloads public keys from an address that discovery found or a person gave. They are bytes, not trust.</summary>
    /// <param name="url">An https address.</param>
    /// <param name="allowHttp">Whether plain http may be used: whoever sits on the way can then put keys of their own in place.</param>
    /// <param name="cancellationToken">Cancels the download.</param>
    /// <exception cref="FetchException">The address is not one, or the keys could not be had.</exception>
    public async Task<byte[]> DownloadKeysAsync(string url, bool allowHttp = false, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(url);
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? address))
        {
            throw new FetchException(FetchFailure.BadReference, $"'{DisplayText.Clean(url)}' is not an address");
        }

        var ask = new HttpAsk(address) { AllowHttp = allowHttp };
        return await _http.RetryAsync(token => _http.GetDocumentAsync(ask, MaxKeyBytes, token), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes connections.</summary>
    public void Dispose()
    {
        if (_owned)
        {
            _http.Dispose();
        }
    }

    private static string? Parent(string path) => path.LastIndexOf('/') is var slash and >= 0 ? path[..slash] : null;

    private static Dictionary<string, string> TemplateValues(AcIdentifier name, IEnumerable<Label> labels, DiscoveryOptions options)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (options.DefaultPlatform)
        {
            foreach (Label label in HostPlatform.Labels(options.Os, options.Arch))
            {
                values[label.Name.ToString()] = label.Value;
            }
        }

        foreach (Label label in labels)
        {
            values[label.Name.ToString()] = label.Value;
        }

        // The specification leaves open what a template gets that asks for a version nobody gave.
        if (string.IsNullOrEmpty(values.GetValueOrDefault("version")))
        {
            values["version"] = "latest";
        }

        values["name"] = name.ToString();
        return values;
    }

    /// <summary>Asks one page, and notes every request; null if there is no page to read.</summary>
    private async Task<DiscoveryPage?> ReadPageAsync(
        string scheme,
        string path,
        AcIdentifier name,
        Dictionary<string, string> values,
        bool needImages,
        bool needKeys,
        bool repeatRefused,
        List<DiscoveryAttempt> tried,
        CancellationToken cancellationToken)
    {
        string text = $"{scheme}://{path}?ac-discovery=1";
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url))
        {
            tried.Add(new DiscoveryAttempt { Url = text, Outcome = DiscoveryOutcome.Unreachable, Detail = "the name does not begin with a host" });
            return null;
        }

        string asking = text;
        var ask = new HttpAsk(url)
        {
            AllowHttp = scheme == "http",
            Asking = u => asking = u == url ? text : u.AbsoluteUri,
            Redirected = (_, status) => tried.Add(new DiscoveryAttempt
            {
                Url = asking, Status = status, Outcome = DiscoveryOutcome.Redirected, Detail = "redirected",
            }),
        };
        try
        {
            string html = await _http.RetryAsync(token => ReadHtmlAsync(ask, token), cancellationToken, repeatRefused).ConfigureAwait(false);
            DiscoveryPage page = DiscoveryPage.Read(html, name, values);
            bool useful = (needImages && page.Images.Count > 0) || (needKeys && page.PublicKeys.Count > 0);
            tried.Add(new DiscoveryAttempt
            {
                Url = asking,
                Status = 200,
                Outcome = useful ? DiscoveryOutcome.Found : page.Tags.Count == 0 ? DiscoveryOutcome.NoTags : DiscoveryOutcome.NoUsableTag,
                Detail = Describe(page, useful),
                Tags = page.Tags,
            });
            return page;
        }
        catch (FetchException e)
        {
            // A redirect that may not be followed is one request, not two.
            DiscoveryAttempt? last = tried.Count > 0 ? tried[^1] : null;
            bool refused = e.Failure is FetchFailure.BadResponse && last?.Outcome == DiscoveryOutcome.Redirected && last.Url == asking;
            if (refused)
            {
                tried.RemoveAt(tried.Count - 1);
            }

            tried.Add(new DiscoveryAttempt
            {
                Url = asking,
                Status = refused ? last!.Status : e.StatusCode,
                Outcome = e.Failure switch
                {
                    FetchFailure.HttpStatus => DiscoveryOutcome.HttpStatus,
                    FetchFailure.Network => DiscoveryOutcome.Unreachable,
                    _ => DiscoveryOutcome.BadResponse,
                },
                Detail = e.Message,
            });
            return null;
        }
    }

    private static string Describe(DiscoveryPage page, bool useful)
    {
        if (page.Tags.Count == 0)
        {
            return "the page has no discovery tags";
        }

        return useful
            ? string.Create(CultureInfo.InvariantCulture, $"{page.Images.Count} image(s), {page.PublicKeys.Count} public key address(es)")
            : "no tag serves for this image: " + string.Join("; ", page.Tags.Select(t => t.Skipped).OfType<string>().Distinct().Take(3).DefaultIfEmpty("none of the kind that is looked for"));
    }

    private async Task<string> ReadHtmlAsync(HttpAsk ask, CancellationToken cancellationToken)
    {
        byte[] page = await _http.GetDocumentAsync(ask, MaxPageBytes, cancellationToken).ConfigureAwait(false);
        return Encoding.UTF8.GetString(page);
    }
}
