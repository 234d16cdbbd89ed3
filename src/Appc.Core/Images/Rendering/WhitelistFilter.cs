using System.Text;
using Appc.Linux;

namespace Appc.Images.Rendering;

/// <summary>
/// Takes away what a pathWhitelist does not name (aci.md). Paths are compared as they are written, links are not
/// followed. A directory stays when it is named or when something in it stays; naming it does not keep its content.
/// </summary>
internal sealed unsafe class WhitelistFilter
{
    private readonly HashSet<string> _paths;
    private readonly CancellationToken _cancellation;

    public WhitelistFilter(IEnumerable<string> whitelist, CancellationToken cancellationToken)
    {
        _cancellation = cancellationToken;
        _paths = whitelist.Select(Clean).ToHashSet(StringComparer.Ordinal);
    }

    public void Apply(Fd tree) => Filter(tree, "");

    // One character a byte, as names of files are bytes.
    private static string Clean(string path) => string.Join(
        '/', Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(path)).Split('/').Where(p => p.Length > 0 && p != "."));

    private bool Filter(Fd directory, string path)
    {
        _cancellation.ThrowIfCancellationRequested();
        FileState state = FileState.Of(directory);
        bool anything = false;
        foreach ((byte[] name, _) in DirectoryReader.Read(directory))
        {
            string child = Encoding.Latin1.GetString(name.AsSpan(0, name.Length - 1));
            child = path.Length == 0 ? child : $"{path}/{child}";
            fixed (byte* n = name)
            {
                using Fd? below = Fd.TryOpenDirectory(directory, name);
                bool keep = _paths.Contains(child);
                if (below is not null)
                {
                    keep |= Filter(below, child);
                }

                if (!keep)
                {
                    ErrnoException.ThrowIfFailed(Libc.unlinkat(directory.Number, n, below is null ? 0 : Libc.AT_REMOVEDIR), "unlink");
                }

                anything |= keep;
            }
        }

        state.Apply(directory);
        return anything;
    }
}
