using Appc.Linux;

namespace Appc.Images.Rendering;

/// <summary>
/// Finds what an overlay stack would get wrong: the directory of an upper tree decides owner and mode, even where its
/// archive had no entry for it and a lower image has.
/// </summary>
internal static unsafe class LayerConflicts
{
    public static bool Exist(IReadOnlyList<StoredImage> layers)
    {
        for (int upper = 1; upper < layers.Count; upper++)
        {
            List<byte[]> implied = Implied(layers[upper]);
            for (int lower = 0; lower < upper && implied.Count > 0; lower++)
            {
                HashSet<string> impliedBelow = Implied(layers[lower]).Select(System.Text.Encoding.Latin1.GetString).ToHashSet();
                using Fd tree = Fd.OpenDirectory(layers[lower].TreePath!);
                if (implied.Exists(p => IsDirectory(tree, p) && !impliedBelow.Contains(System.Text.Encoding.Latin1.GetString(p))))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static List<byte[]> Implied(StoredImage image) =>
        ImpliedDirectories.Read(Path.Combine(Path.GetDirectoryName(image.TreePath!)!, StoreLayout.ImpliedFile));

    private static bool IsDirectory(Fd tree, byte[] path)
    {
        fixed (byte* p = (byte[])[.. path, 0])
        {
            int fd = Libc.OpenBeneath(tree.Number, p, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW);
            if (fd < 0)
            {
                return false;
            }

            _ = Libc.close(fd);
            return true;
        }
    }
}
