using System.Security.Cryptography;
using System.Text;
using Appc.Manifests;

namespace Appc.Images.Rendering;

/// <summary>
/// The file beside a rendered tree that tells what it was made of: the ids with their nesting, whose SHA-256 is the
/// tree's name. Its modification time is when the tree was used last.
/// </summary>
internal static class RenderedRecord
{
    private const int Deepest = 64;
    private const int LargestBytes = 1 << 20;

    /// <summary>Reads the file; null if it is not there, does not fit the key, or names an image that is not there.</summary>
    public static DependencyTree? Read(string path, string key, Func<ImageId, StoredImage?> load)
    {
        if (new FileInfo(path) is not { Exists: true, Length: <= LargestBytes })
        {
            return null;
        }

        byte[] bytes = File.ReadAllBytes(path);
        if (Convert.ToHexStringLower(SHA256.HashData(bytes)) != key)
        {
            return null;
        }

        int at = 0;
        return Parse(Encoding.ASCII.GetString(bytes), ref at, 0, load);
    }

    // ID(ID(...),ID(...)): what DependencyTree.Describe writes.
    private static DependencyTree? Parse(string text, ref int at, int depth, Func<ImageId, StoredImage?> load)
    {
        int open = text.IndexOf('(', at);
        if (open < 0 || depth > Deepest || !ImageId.TryParse(text[at..open], out ImageId? id) || load(id) is not { } image)
        {
            return null;
        }

        List<DependencyTree> dependencies = [];
        for (at = open + 1; at < text.Length && text[at] != ')';)
        {
            if (Parse(text, ref at, depth + 1, load) is not { } dependency)
            {
                return null;
            }

            dependencies.Add(dependency);
            at += at < text.Length && text[at] == ',' ? 1 : 0;
        }

        at++;
        return new DependencyTree(image, dependencies);
    }
}
