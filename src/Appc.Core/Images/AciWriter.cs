using Appc.Manifests;

namespace Appc.Images;

/// <summary>Builds images, byte for byte reproducible.</summary>
public static class AciWriter
{
    /// <summary>Builds an image from a manifest and a directory that becomes its rootfs; returns its id.</summary>
    public static Task<ImageId> BuildAsync(ImageManifest manifest, string rootfsDirectory, string outputPath, AciBuildOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
