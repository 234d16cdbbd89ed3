namespace Appc.Images;

/// <summary>The trees of an image with its dependencies, kept from being removed until this is disposed.</summary>
internal sealed class HeldLayers(HeldImages held, IReadOnlyList<string> paths) : IDisposable
{
    /// <summary>The trees, the lowest first.</summary>
    public IReadOnlyList<string> Paths => paths;

    /// <summary>The image and all that it depends on, each once.</summary>
    public IReadOnlyList<StoredImage> Images => held.Images;

    public void Dispose() => held.Dispose();
}
