using Appc.Images;
using Appc.Trust;

namespace Appc.Fetching;

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
