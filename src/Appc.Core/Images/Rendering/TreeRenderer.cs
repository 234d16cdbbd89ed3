using System.Text;
using Appc.Images.Extraction;
using Appc.Linux;

namespace Appc.Images.Rendering;

/// <summary>
/// Lays images over each other into a tree of its own, as the specification says (aci.md): dependencies in order, then
/// the image itself, then what its pathWhitelist does not name is taken away. Inside the store, files are hard links to
/// those of the images' own trees, so that a rendered tree costs directories only; a tree that leaves the store is a copy.
/// </summary>
internal sealed class TreeRenderer(string workDirectory, CancellationToken cancellationToken, bool copy = false)
{
    private readonly TreeMerger _merger = new(cancellationToken);
    private int _units;

    /// <summary>Renders an image with its dependencies into a new directory below the work directory; returns its path.</summary>
    public string Render(DependencyTree tree)
    {
        RenderedUnit unit = RenderUnit(tree);
        return unit.Path;
    }

    /// <summary>Lays down the image's own files only, without its dependencies and whatever its pathWhitelist says.</summary>
    public string RenderOwn(StoredImage image)
    {
        RenderedUnit unit = new(Path.Combine(workDirectory, "own"));
        Directory.CreateDirectory(unit.Path);
        using Fd target = Fd.OpenDirectory(unit.Path);
        LayDown(new DependencyTree(image, []), unit, target);
        return unit.Path;
    }

    /// <summary>A unit is what one pathWhitelist covers: it is rendered apart, so that the list touches nothing else.</summary>
    private RenderedUnit RenderUnit(DependencyTree tree)
    {
        string path = Path.Combine(workDirectory, $"unit-{_units++}");
        Directory.CreateDirectory(path);
        RenderedUnit unit = new(path);
        using (Fd target = Fd.OpenDirectory(path))
        {
            LayDown(tree, unit, target);
            if (tree.Image.Manifest.PathWhitelist.Count > 0)
            {
                new WhitelistFilter(tree.Image.Manifest.PathWhitelist, cancellationToken).Apply(target);
            }
        }

        return unit;
    }

    private void LayDown(DependencyTree tree, RenderedUnit unit, Fd target)
    {
        foreach (DependencyTree dependency in tree.Dependencies)
        {
            if (dependency.Image.Manifest.PathWhitelist.Count == 0)
            {
                LayDown(dependency, unit, target);
                continue;
            }

            RenderedUnit below = RenderUnit(dependency);
            using (Fd source = Fd.OpenDirectory(below.Path))
            {
                _merger.Merge(source, target, below.Implied, unit.Implied, copy: false);
            }

            TreeRemover.Remove(below.Path);
        }

        string own = tree.Image.TreePath!;
        string implied = Path.Combine(Path.GetDirectoryName(own)!, StoreLayout.ImpliedFile);
        using Fd ownTree = Fd.OpenDirectory(own);
        _merger.Merge(ownTree, target, ImpliedDirectories.Read(implied).Select(Encoding.Latin1.GetString).ToHashSet(), unit.Implied, copy);
    }

    /// <summary>A tree, and which of its directories no image had an entry for (paths as Latin-1 text: one character a byte).</summary>
    private sealed record RenderedUnit(string Path)
    {
        public HashSet<string> Implied { get; } = [];
    }
}
