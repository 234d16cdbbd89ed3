using System.Security.Cryptography;
using System.Text;
using Appc.Manifests;

namespace Appc.Images;

/// <summary>An image with its dependencies, each found in the store.</summary>
internal sealed record DependencyTree(StoredImage Image, IReadOnlyList<DependencyTree> Dependencies)
{
    /// <summary>All images in the order in which they are laid down, the lowest first; one may occur several times.</summary>
    public IEnumerable<StoredImage> InOrder()
    {
        foreach (DependencyTree dependency in Dependencies)
        {
            foreach (StoredImage image in dependency.InOrder())
            {
                yield return image;
            }
        }

        yield return Image;
    }

    /// <summary>
    /// Each image once, the lowest first. One that occurs twice hides its own lower occurrence entirely, so only the
    /// highest counts.
    /// </summary>
    public List<StoredImage> Distinct()
    {
        List<StoredImage> images = [];
        HashSet<ImageId> seen = [];
        foreach (StoredImage image in InOrder().Reverse())
        {
            if (seen.Add(image.Id))
            {
                images.Add(image);
            }
        }

        images.Reverse();
        return images;
    }

    /// <summary>Whether any image restricts what of the images below it shows.</summary>
    public bool HasWhitelist => Image.Manifest.PathWhitelist.Count > 0 || Dependencies.Any(d => d.HasWhitelist);

    /// <summary>A name for just this image with just these dependencies.</summary>
    public string Key => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Describe())));

    /// <summary>The ids with their nesting.</summary>
    public string Describe() => $"{Image.Id}({string.Join(',', Dependencies.Select(d => d.Describe()))})";
}
