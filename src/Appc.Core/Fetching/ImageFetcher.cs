using Appc.Images;
using Appc.Manifests;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Fetching;

/// <summary>When the network is asked.</summary>
public enum PullPolicy
{
    /// <summary>Only for what the store lacks.</summary>
    New,
    /// <summary>Always; the store's copy serves where the server says that it is current.</summary>
    Update,
    /// <summary>Never.</summary>
    Never,
}

/// <summary>How an image is fetched.</summary>
public sealed class FetchOptions
{
    /// <summary>What must be proven about the image.</summary>
    public TrustPolicy Trust { get; set; } = TrustPolicy.RequireSignature;
    /// <summary>When the network is asked.</summary>
    public PullPolicy PullPolicy { get; set; } = PullPolicy.New;
    /// <summary>Whether plain http may be used.</summary>
    public bool AllowHttp { get; set; }
    /// <summary>A local signature file to use instead of the discovered one; null: discover it.</summary>
    public string? SignaturePath { get; set; }
    /// <summary>Value of the os label where the reference has none; null: the host's.</summary>
    public string? Os { get; set; }
    /// <summary>Value of the arch label where the reference has none; null: the host's.</summary>
    public string? Arch { get; set; }
    /// <summary>Bounds on the archive.</summary>
    public ArchiveLimits Limits { get; set; } = new();
    /// <summary>Largest download in bytes.</summary>
    public long DownloadBytes { get; set; } = 16L << 30;
}

/// <summary>Where a fetched image came from.</summary>
public enum FetchOrigin
{
    /// <summary>It was in the store.</summary>
    Store,
    /// <summary>The server said that the stored copy is current.</summary>
    Cache,
    /// <summary>It was downloaded.</summary>
    Download,
    /// <summary>It was read from a file.</summary>
    File,
}

/// <summary>A fetched image and where it came from.</summary>
public sealed record FetchResult(StoredImage Image, FetchOrigin Origin);

/// <summary>How far a fetch has come.</summary>
/// <param name="Phase">What is being done: discovering, signature, downloading, verifying, extracting, publishing.</param>
/// <param name="Source">The URL or file.</param>
/// <param name="Bytes">Bytes done in this phase.</param>
/// <param name="TotalBytes">Bytes of this phase; null if not known.</param>
public sealed record FetchProgress(string Phase, string Source, long Bytes, long? TotalBytes);

/// <summary>How the fetcher works.</summary>
public sealed class ImageFetcherOptions
{
    /// <summary>Makes the client for all requests; null: one with good defaults.</summary>
    public HttpMessageHandler? HttpHandler { get; set; }
    /// <summary>Whether server certificates stay unchecked (insecure).</summary>
    public bool AllowInvalidTls { get; set; }
    /// <summary>Where log messages go.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }
    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}

/// <summary>Brings images from references into the store.</summary>
public sealed class ImageFetcher : IDisposable
{
    /// <summary>Makes a fetcher for a store.</summary>
    public ImageFetcher(ImageStore store, ISignatureVerifier? verifier, ImageFetcherOptions? options = null) { Store = store; }
    /// <summary>The store.</summary>
    public ImageStore Store { get; }
    /// <summary>Fetches an image and its dependencies.</summary>
    public Task<FetchResult> FetchAsync(string reference, FetchOptions? options = null, IProgress<FetchProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <inheritdoc/>
    public void Dispose() { }
}
