using Appc.Manifests;

namespace Appc.Images;

/// <summary>The trees of an image with its dependencies, kept from being removed until this is disposed.</summary>
internal sealed class HeldLayers(HeldImages held, IReadOnlyList<string> paths, IReadOnlyList<ImageId> owners) : IDisposable
{
    /// <summary>The trees, the lowest first.</summary>
    public IReadOnlyList<string> Paths => paths;

    /// <summary>The images in whose directories the trees lie.</summary>
    public IReadOnlyList<ImageId> Owners => owners;

    public void Dispose() => held.Dispose();
}
