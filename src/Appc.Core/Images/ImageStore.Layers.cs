using Appc.Manifests;

namespace Appc.Images;

/// <content>Images together with their dependencies.</content>
public sealed partial class ImageStore
{
    private const int DeepestDependency = 64;
    private const int MostLayers = 500;

    /// <summary>
    /// The trees of an image and its dependencies, the lowest first, for an overlay stack: dependencies in the order of
    /// the manifest, each with its own below it, then the image itself.
    /// </summary>
    /// <exception cref="ImageException">An image or a dependency is not in the store, or the dependencies form a circle.</exception>
    public Task<IReadOnlyList<string>> GetLayersAsync(ImageId id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        return DedicatedThread.RunAsync<IReadOnlyList<string>>("appc layers", () => GetLayers(id, cancellationToken));
    }

    private List<string> GetLayers(ImageId id, CancellationToken cancellationToken)
    {
        StoredImage top = ImageRecord.TryLoad(_layout, id) ?? throw NotFound(id.ToString());
        DependencyTree tree = ResolveDependencies(top, cancellationToken);
        List<string> layers = [];
        HashSet<ImageId> seen = [];

        // An image that occurs twice hides its own lower occurrence entirely, so only the highest one counts.
        foreach (StoredImage image in tree.InOrder().Reverse())
        {
            if (seen.Add(image.Id))
            {
                layers.Insert(0, image.TreePath ?? throw new ImageException(
                    ImageFailure.Storage, $"image {image.Id} has no tree: it was imported by a program that keeps archives only", "remove it and import it again"));
            }
        }

        return layers;
    }

    private DependencyTree ResolveDependencies(StoredImage top, CancellationToken cancellationToken)
    {
        if (top.Manifest.Dependencies.Count == 0)
        {
            return new DependencyTree(top, []);
        }

        int count = 0;
        List<StoredImage> images = ListAll(cancellationToken);
        return Resolve(top, []);

        DependencyTree Resolve(StoredImage image, List<StoredImage> path)
        {
            if (path.Exists(p => p.Id == image.Id))
            {
                throw new ImageException(
                    ImageFailure.BadArchive,
                    $"the dependencies of image {top.Manifest.Name} form a circle: {string.Join(" -> ", path.Append(image).Select(p => p.Manifest.Name.ToString()))}",
                    "the images must be built anew without the circle");
            }

            if (path.Count == DeepestDependency || ++count > MostLayers)
            {
                throw new ImageException(
                    ImageFailure.LimitExceeded, $"the dependencies of image {top.Manifest.Name} go deeper than {DeepestDependency} levels or count more than {MostLayers} images");
            }

            path.Add(image);
            List<DependencyTree> dependencies = [];
            foreach (Dependency dependency in image.Manifest.Dependencies)
            {
                dependencies.Add(Resolve(Find(image, dependency), path));
            }

            path.RemoveAt(path.Count - 1);
            return new DependencyTree(image, dependencies);
        }

        StoredImage Find(StoredImage image, Dependency dependency)
        {
            StoredImage? found = dependency.ImageId is { } exact
                ? images.Find(i => i.Id == exact)
                : ImageMatch.Best(images, dependency.ImageName, dependency.Labels);
            string wanted = dependency.ImageId?.ToString()
                ?? string.Join(',', dependency.Labels.Select(l => $"{l.Name}={l.Value}").Prepend(dependency.ImageName.ToString()));
            return found ?? throw new ImageException(
                ImageFailure.NotFound,
                $"image {image.Manifest.Name} depends on {dependency.ImageName}, and {ByteText.Show(System.Text.Encoding.UTF8.GetBytes(wanted))} is not in the store",
                $"fetch it: appc fetch {dependency.ImageName}");
        }
    }
}
