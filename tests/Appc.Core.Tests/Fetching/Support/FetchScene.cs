using Appc.Fetching;
using Appc.Images;

namespace Appc.Core.Tests.Fetching;

/// <summary>A server that offers images of example.com by discovery, and a store that is empty at first.</summary>
internal sealed class FetchScene : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<ImageFetcher> _fetchers = [];

    private FetchScene(TestServer server)
    {
        Server = server;
        Root = _folder.File("root");
        Store = OpenStore();
        server.Page("https://example.com/", Meta("https://example.com/{name}-{version}-{os}-{arch}.{ext}"));
    }

    public TestServer Server { get; }

    public string Root { get; }

    public ImageStore Store { get; }

    public HashVerifier Verifier { get; } = new();

    public static async Task<FetchScene> CreateAsync() => new(await TestServer.StartAsync("example.com", "cdn.example.net"));

    public static string Meta(params string[] templates) =>
        "<html><head>" + string.Concat(templates.Select(t => $"<meta name=\"ac-discovery\" content=\"example.com {t}\">")) + "</head></html>";

    public ImageStore OpenStore() => new(Root, new ImageStoreOptions { Verifier = Verifier });

    /// <summary>A fetcher; each has connections and shared work of its own, as another process would have.</summary>
    public ImageFetcher Fetcher(Action<ImageFetcherOptions>? configure = null)
    {
        ImageFetcherOptions options = Server.Options();
        configure?.Invoke(options);
        var fetcher = new ImageFetcher(OpenStore(), Verifier, options);
        _fetchers.Add(fetcher);
        return fetcher;
    }

    public string File(string name) => _folder.File(name);

    public static string Url(TestImage image, string version = "latest", string arch = "amd64") => $"https://example.com/{image.Name}-{version}-linux-{arch}.aci";

    /// <summary>Puts an image and its signature where discovery leads to.</summary>
    public TestImage Offer(TestImage image, string version = "latest", string? etag = null, string? cacheControl = null, string arch = "amd64")
    {
        Server.File(Url(image, version, arch), image.Archive, etag, cacheControl);
        Server.File(Url(image, version, arch) + ".asc", image.Signature);
        return image;
    }

    /// <summary>Number of requests for an archive.</summary>
    public int Downloads(TestImage image, string version = "latest") => Server.Urls.Count(u => u == Url(image, version));

    /// <summary>What lies in the store's directory for work in progress.</summary>
    public IReadOnlyList<string> Leftovers => Directory.Exists(Path.Combine(Root, "tmp"))
        ? [.. Directory.EnumerateFileSystemEntries(Path.Combine(Root, "tmp"), "*", SearchOption.AllDirectories)]
        : [];

    public async Task<int> CountImagesAsync() => (await Store.ListAsync()).Count;

    /// <summary>The options of a call on an amd64 host, wherever the tests run.</summary>
    public static FetchOptions Options(PullPolicy policy = PullPolicy.New) => new() { PullPolicy = policy, Arch = "amd64" };

    public async ValueTask DisposeAsync()
    {
        foreach (ImageFetcher fetcher in _fetchers)
        {
            fetcher.Dispose();
        }

        await Server.DisposeAsync();
        _folder.Dispose();
    }
}
