using Appc.Manifests;

namespace Appc.Images;

/// <summary>Which images of a store fulfil dependencies.</summary>
internal static class Dependencies
{
    /// <summary>The image that fulfils a dependency: the very one, or the best of its name and labels; null if there is none.</summary>
    public static StoredImage? Fulfil(List<StoredImage> images, Dependency dependency) => dependency.ImageId is { } exact
        ? images.Find(i => i.Id == exact)
        : ImageMatch.Best(images, dependency.ImageName, dependency.Labels);

    /// <summary>All images that one depends on, directly or through others; itself only if they form a circle.</summary>
    public static HashSet<ImageId> Closure(List<StoredImage> images, ImageId id)
    {
        HashSet<ImageId> found = [];
        Queue<ImageId> open = new([id]);
        while (open.TryDequeue(out ImageId? next))
        {
            foreach (Dependency dependency in images.Find(i => i.Id == next)?.Manifest.Dependencies ?? [])
            {
                if (Fulfil(images, dependency)?.Id is { } other && found.Add(other))
                {
                    open.Enqueue(other);
                }
            }
        }

        return found;
    }
}
