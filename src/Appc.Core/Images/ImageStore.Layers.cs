using Appc.Images.Rendering;
using Appc.Linux;
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
    /// rendered once and kept with the image. Counts as a use of all these images; to keep them, hold them.
    /// </summary>
    /// <exception cref="ImageException">An image or a dependency is not in the store, or the dependencies form a circle.</exception>
    public async Task<IReadOnlyList<string>> GetLayersAsync(ImageId id, CancellationToken cancellationToken = default)
    {
        using HeldLayers held = await HoldLayersAsync(id, trees: true, cancellationToken).ConfigureAwait(false);
        return held.Paths;
    }

    /// <summary>As <see cref="GetLayersAsync"/>; the images stay held until the result is disposed.</summary>
    /// <param name="id">The image.</param>
    /// <param name="trees">Whether the trees are wanted; otherwise the result has no paths.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    internal Task<HeldLayers> HoldLayersAsync(ImageId id, bool trees, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(id);
        return TryHoldAlone(id) is { } held
            ? Task.FromResult(new HeldLayers(held, trees ? new[] { held.Images[0].TreePath! } : []))
            : DedicatedThread.RunAsync("appc layers", () => HoldLayers(id, trees, cancellationToken));
    }

    /// <summary>
    /// Holds an image which is a tree as it is, as most are: that takes a few calls, and no thread of its own. Null where there
    /// is more to it, or something wrong with it.
    /// </summary>
    private HeldImages? TryHoldAlone(ImageId id)
    {
        try
        {
            if (ImageRecord.TryLoad(_layout, id) is not { TreePath: not null, Manifest: { Dependencies.Count: 0, PathWhitelist.Count: 0 } } image
                || HeldImages.TryTake(new DependencyTree(image, []), i => DirectoryLock.TryTake(_layout.Image(i), exclusive: false, out DirectoryLock? taken) == DirectoryLock.Outcome.Taken ? taken : null) is not { } held)
            {
                return null;
            }

            MarkUsed(id);
            return held;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ImageException)
        {
            // It comes up again, and is told then.
            return null;
        }
    }

    private HeldLayers HoldLayers(ImageId id, bool trees, CancellationToken cancellationToken)
    {
        HeldImages held = HoldWithDependencies(id, cancellationToken);
        try
        {
            foreach (StoredImage image in held.Images)
            {
                MarkUsed(image.Id);
            }

            if (!trees)
            {
                return new HeldLayers(held, []);
            }

            foreach (StoredImage image in held.Images)
            {
                RequireTree(image);
            }

            return held.Tree.HasWhitelist || LayerConflicts.Exist(held.Images)
                ? new HeldLayers(held, new[] { Render(held.Tree, cancellationToken) })
                : new HeldLayers(held, held.Images.Select(l => l.TreePath!).ToArray());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            held.Dispose();
            throw StorageFaults.From(e, $"image {held.Tree.Image.Manifest.Name} cannot be rendered");
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Finds an image's dependencies and holds them all; anew where one was removed in between.</summary>
    private HeldImages HoldWithDependencies(ImageId id, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            StoredImage top = ImageRecord.TryLoad(_layout, id) ?? throw NotFound(id.ToString());
            if (HeldImages.TryTake(ResolveDependencies(top, cancellationToken), WaitFor) is { } held)
            {
                return held;
            }
        }
    }

    private DirectoryLock? WaitFor(ImageId id)
    {
        try
        {
            return Wait(_layout.Image(id), exclusive: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"image {id} cannot be held");
        }
    }

    private static void RequireTree(StoredImage image)
    {
        if (image.TreePath is null)
        {
            throw NoTree(image.Id);
        }
    }

    private static ImageException NoTree(ImageId id) => new(
        ImageFailure.Storage,
        $"image {id} has no tree: it was imported by a program that keeps archives only",
        "remove it and import it again");

    /// <summary>Gives the tree of an image with its dependencies; made once, and again when a dependency is another image now.</summary>
    private string Render(DependencyTree tree, CancellationToken cancellationToken)
    {
        string parent = Path.Combine(_layout.Image(tree.Image.Id), StoreLayout.RenderedDirectory);
        string target = Path.Combine(parent, tree.Key);
        string record = target + StoreLayout.RenderedRecordSuffix;
        if (Directory.Exists(target) && (MarkUsed(record) || File.Exists(record)))
        {
            return target;
        }

        using TemporaryDirectory work = TemporaryDirectory.Create(_layout);
        string madeRecord = Path.Combine(work.Path, "record");
        File.WriteAllText(madeRecord, tree.Describe());
        string? rendered = Directory.Exists(target) ? null : new TreeRenderer(work.Path, cancellationToken).Render(tree);
        MakeDurable(work);
        Directory.CreateDirectory(parent);
        File.Move(madeRecord, record, overwrite: true);
        MarkUsed(record);
        if (rendered is not null)
        {
            TryRename(rendered, target);
        }

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
            StoredImage? found = Dependencies.Fulfil(images, dependency);
            string wanted = dependency.ImageId?.ToString()
                ?? string.Join(',', dependency.Labels.Select(l => $"{l.Name}={l.Value}").Prepend(dependency.ImageName.ToString()));
            return found ?? throw new ImageException(
                ImageFailure.NotFound,
                $"image {image.Manifest.Name} depends on {dependency.ImageName}, and {ByteText.Show(System.Text.Encoding.UTF8.GetBytes(wanted))} is not in the store",
                $"fetch it: appc fetch {dependency.ImageName}");
        }
    }
}
