using Appc.Images.Rendering;
using Appc.Manifests;

namespace Appc.Images;

/// <content>Images together with their dependencies.</content>
public sealed partial class ImageStore
{
    private const int DeepestDependency = 64;
    private const int MostLayers = 500;

    /// <summary>
    /// The trees of an image and its dependencies, the lowest first, for an overlay stack: dependencies in the order of
    /// the manifest, each with its own below it, then the image itself. Where a stack cannot give what the specification
    /// asks for (a pathWhitelist; a directory without an entry of its own over one that has one), the result is one tree,
    /// rendered once and kept with the image.
    /// </summary>
    /// <exception cref="ImageException">An image or a dependency is not in the store, or the dependencies form a circle.</exception>
    public Task<IReadOnlyList<string>> GetLayersAsync(ImageId id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        return DedicatedThread.RunAsync<IReadOnlyList<string>>("appc layers", () => GetLayers(Resolve(id, cancellationToken), cancellationToken));
    }

    /// <summary>
    /// An image and all that it depends on, directly and through others, each once; and, if they are asked for, the
    /// trees as <see cref="GetLayersAsync"/> gives them. Both come from one look at the store, so they are of the same images.
    /// </summary>
    internal Task<(IReadOnlyList<ImageId> Images, IReadOnlyList<string> Layers)> ResolveAsync(ImageId id, bool layers, CancellationToken cancellationToken) =>
        DedicatedThread.RunAsync<(IReadOnlyList<ImageId>, IReadOnlyList<string>)>("appc layers", () =>
        {
            DependencyTree tree = Resolve(id, cancellationToken);
            return ([.. tree.InOrder().Select(i => i.Id).Distinct()], layers ? GetLayers(tree, cancellationToken) : []);
        });

    private DependencyTree Resolve(ImageId id, CancellationToken cancellationToken) =>
        ResolveDependencies(ImageRecord.TryLoad(_layout, id) ?? throw NotFound(id.ToString()), cancellationToken);

    private List<string> GetLayers(DependencyTree tree, CancellationToken cancellationToken)
    {
        StoredImage top = tree.Image;
        List<StoredImage> layers = [];
        HashSet<ImageId> seen = [];

        // An image that occurs twice hides its own lower occurrence entirely, so only the highest one counts.
        foreach (StoredImage image in tree.InOrder().Reverse())
        {
            if (seen.Add(image.Id))
            {
                layers.Insert(0, image);
            }

            if (image.TreePath is null)
            {
                throw new ImageException(
                    ImageFailure.Storage,
                    $"image {image.Id} has no tree: it was imported by a program that keeps archives only",
                    "remove it and import it again");
            }
        }

        try
        {
            return tree.HasWhitelist || LayerConflicts.Exist(layers)
                ? [Render(top, tree, cancellationToken)]
                : [.. layers.Select(l => l.TreePath!)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"image {top.Manifest.Name} cannot be rendered");
        }
    }

    /// <summary>Gives the tree of an image with its dependencies; made once, and again when a dependency is another image now.</summary>
    private string Render(StoredImage top, DependencyTree tree, CancellationToken cancellationToken)
    {
        string parent = Path.Combine(_layout.Image(top.Id), StoreLayout.RenderedDirectory);
        string target = Path.Combine(parent, tree.Key);
        using DirectoryLock held = Wait(_layout.Image(top.Id), exclusive: false) ?? throw NotFound(top.Id.ToString());
        if (Directory.Exists(target))
        {
            return target;
        }

        using TemporaryDirectory work = TemporaryDirectory.Create(_layout);
        string rendered = new TreeRenderer(work.Path, cancellationToken).Render(tree);
        MakeDurable(work);
        Directory.CreateDirectory(parent);
        TryRename(rendered, target);
        SyncDirectory(parent);
        return target;
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
