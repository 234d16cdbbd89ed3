using Appc.Images;

namespace Appc.Fetching;

/// <summary>A fetched image and where it came from.</summary>
/// <param name="Image">The image, as it lies in the store.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record FetchResult(StoredImage Image, FetchOrigin Origin)
{
    /// <summary>How the image was looked for; null where no discovery took place.</summary>
    public DiscoveryResult? Discovery { get; init; }

    /// <summary>The images that this one needs, directly and through others, each once, in no particular order.</summary>
    public IReadOnlyList<FetchResult> Dependencies { get; init; } = [];
}
