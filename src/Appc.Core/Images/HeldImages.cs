namespace Appc.Images;

/// <summary>An image with its dependencies, all of them kept from being removed until this is disposed.</summary>
internal sealed class HeldImages : IDisposable
{
    private readonly List<DirectoryLock> _locks;

    private HeldImages(DependencyTree tree, List<StoredImage> images, List<DirectoryLock> locks)
    {
        Tree = tree;
        Images = images;
        _locks = locks;
    }

    public DependencyTree Tree { get; }

    /// <summary>Each image once, the lowest first; one that occurs several times stands where it lies highest.</summary>
    public IReadOnlyList<StoredImage> Images { get; }

    /// <summary>Locks every image; null if one of them went away.</summary>
    public static HeldImages? TryTake(DependencyTree tree, Func<Manifests.ImageId, DirectoryLock?> takeShared)
    {
        List<StoredImage> images = tree.Distinct();
        List<DirectoryLock> locks = [];
        try
        {
            foreach (StoredImage image in images)
            {
                if (takeShared(image.Id) is not { } taken)
                {
                    locks.ForEach(l => l.Dispose());
                    return null;
                }

                locks.Add(taken);
            }
        }
        catch
        {
            locks.ForEach(l => l.Dispose());
            throw;
        }

        return new HeldImages(tree, images, locks);
    }

    public void Dispose() => _locks.ForEach(l => l.Dispose());
}
