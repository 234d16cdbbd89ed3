using Appc.Manifests;

namespace Appc.Images;

/// <summary>Which of the images go, and in which order: what depends on another one goes before that.</summary>
internal sealed class CollectPlan
{
    private readonly List<StoredImage> _images;
    private readonly Dictionary<ImageId, KeptImage> _kept = [];

    /// <summary>Begins with images of which nothing is known yet.</summary>
    public CollectPlan(List<StoredImage> images) => _images = images;

    /// <summary>What stays.</summary>
    public IReadOnlyCollection<KeptImage> Kept => _kept.Values;

    public bool Knows(ImageId id) => _images.Exists(i => i.Id == id);

    public bool IsKept(ImageId id) => _kept.ContainsKey(id);

    /// <summary>Adds an image that came meanwhile.</summary>
    public void Add(StoredImage image) => _images.Add(image);

    /// <summary>Keeps an image, and with it everything that it depends on.</summary>
    public void Keep(ImageId id, AcIdentifier? name, ImageKeepReason reason, string detail)
    {
        _kept.TryAdd(id, new KeptImage(id, name, reason, detail));
        foreach (ImageId other in Dependencies.Closure(_images, id))
        {
            AcIdentifier? otherName = _images.Find(i => i.Id == other)?.Manifest.Name;
            _kept.TryAdd(other, new KeptImage(other, otherName, ImageKeepReason.Dependency, $"image {name} ({id}) depends on it"));
        }
    }

    /// <summary>What is to go.</summary>
    public List<StoredImage> Order()
    {
        List<StoredImage> order = [];
        HashSet<ImageId> seen = [];
        foreach (StoredImage image in _images.OrderBy(i => i.LastUsed))
        {
            Visit(image);
        }

        order.Reverse();
        return order;

        void Visit(StoredImage image)
        {
            if (IsKept(image.Id) || !seen.Add(image.Id))
            {
                return;
            }

            foreach (Dependency dependency in image.Manifest.Dependencies)
            {
                if (Dependencies.Fulfil(_images, dependency) is { } other)
                {
                    Visit(other);
                }
            }

            order.Add(image);
        }
    }
}
