using System.Globalization;
using System.Text;
using Appc.Linux;

namespace Appc.Stage1.Isolation;

/// <summary>
/// Looks into an app's stacked image trees before they are mounted: what a path would be in the app's root. Links
/// lead through all layers, and never out of them.
/// </summary>
internal sealed unsafe class ImageTree : IDisposable
{
    private const int LinkLimit = 40;
    private const int PathLimit = 4096;

    private readonly Fd[] _layers;

    // What was found: trees of images do not change.
    private readonly Dictionary<string, (Fd Layer, string Path, Libc.Statx Stat)?> _looked = new(StringComparer.Ordinal);

    /// <summary>Opens the trees.</summary>
    /// <param name="layers">The trees, the lowest first.</param>
    /// <param name="subject">What is launched, for messages.</param>
    /// <exception cref="LaunchException">A tree is missing.</exception>
    internal ImageTree(IReadOnlyList<string> layers, string subject)
    {
        List<Fd> opened = new(layers.Count);
        try
        {
            foreach (string layer in layers)
            {
                opened.Add(Fd.OpenDirectory(layer));
            }
        }
        catch (ErrnoException e)
        {
            opened.ForEach(fd => fd.Dispose());
            throw new LaunchException(
                "open the image", 0, $"{subject}: {e.Message}", "The image may have been removed: fetch or import it again.", e);
        }

        _layers = [.. opened];
    }

    /// <summary>Opens the trees of an app.</summary>
    /// <exception cref="LaunchException">It has none, or one is missing.</exception>
    internal static ImageTree Of(Stage1App app, string subject) => app.Layers.Count > 0
        ? new ImageTree(app.Layers, subject)
        : throw new LaunchException("open the image", 0, $"{subject}: the app {app.Name} has no image tree");

    /// <summary>What the root directory itself is like: that of the top layer.</summary>
    internal Libc.Statx Root => _layers[^1].Stat();

    /// <summary>What is at a path after following links; null if there is nothing.</summary>
    internal Libc.Statx? Stat(string path) => Find(path)?.Stat;

    /// <summary>The content of a regular file; null if there is none, or it is larger than the limit.</summary>
    internal byte[]? ReadFile(string path, int limit = 1 << 20)
    {
        if (Find(path) is not { } found || found.Stat.Type != Libc.S_IFREG || found.Stat.Size > limit)
        {
            return null;
        }

        using Fd? file = Open(found.Layer, found.Path, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_NONBLOCK);
        if (file is null)
        {
            return null;
        }

        byte[] content = new byte[(int)found.Stat.Size];
        int length = 0;
        fixed (byte* p = content)
        {
            nint read;
            while (length < content.Length && (read = Libc.read(file.Number, p + length, (nuint)(content.Length - length))) > 0)
            {
                length += (int)read;
            }
        }

        return content[..length];
    }

    /// <summary>Whether a directory has an entry of this name, were it a link to nowhere.</summary>
    internal bool HasEntry(string directory, string name) => Find(directory) is { } found && Look([found.Path, name]) is not null;

    /// <summary>The path of what is at a path, without links and dots; null if there is nothing.</summary>
    internal string? Canonical(string path) => Find(path) is { } found ? "/" + (found.Path == "." ? "" : found.Path) : null;

    /// <summary>What a directory holds, by name, links not followed; nothing if the path itself is a link, or no directory.</summary>
    internal IReadOnlyList<(string Name, Libc.Statx Stat)> Contents(string directory)
    {
        string path = directory.Trim('/');
        if (Look([path]) is not { Stat.Type: Libc.S_IFDIR })
        {
            return [];
        }

        return [.. ContentsOf(path).OrderBy(c => c.Name, StringComparer.Ordinal)];
    }

    /// <summary>Whether there is a file at a path, or a directory with something in it.</summary>
    internal bool HoldsFiles(string path) => Find(path) is { } found && (found.Stat.Type != Libc.S_IFDIR || ContentsOf(found.Path).Any());

    /// <summary>The path that a path leads to when its links are followed; what the image lacks is as it was said.</summary>
    internal string Resolve(string path)
    {
        Stack<string> ahead = new();
        Push(ahead, path);
        List<string> behind = [];
        for (int links = 0; ahead.TryPop(out string? name);)
        {
            if (name == "..")
            {
                behind.RemoveRange(Math.Max(behind.Count - 1, 0), Math.Min(behind.Count, 1));
                continue;
            }

            behind.Add(name);
            if (Look(behind) is { Stat.Type: Libc.S_IFLNK } link && links++ < LinkLimit && ReadLink(link.Layer, link.Path) is { } target)
            {
                behind.RemoveRange(target.StartsWith('/') ? 0 : behind.Count - 1, target.StartsWith('/') ? behind.Count : 1);
                Push(ahead, target);
            }
        }

        return "/" + string.Join('/', behind);
    }

    public void Dispose()
    {
        foreach (Fd layer in _layers)
        {
            layer.Dispose();
        }
    }

    private (Fd Layer, string Path, Libc.Statx Stat)? Find(string path)
    {
        Stack<string> ahead = new();
        Push(ahead, path);
        List<string> behind = [];
        (Fd Layer, string Path, Libc.Statx Stat)? found = (_layers[^1], ".", Root);
        int links = 0;
        while (ahead.TryPop(out string? name))
        {
            if (name == "..")
            {
                if (behind.Count > 0)
                {
                    behind.RemoveAt(behind.Count - 1);
                }

                found = Look(behind);
                continue;
            }

            behind.Add(name);
            found = Look(behind);
            if (found is not { } entry)
            {
                return null;
            }

            if (entry.Stat.Type == Libc.S_IFLNK)
            {
                if (++links > LinkLimit || ReadLink(entry.Layer, entry.Path) is not { } target)
                {
                    return null;
                }

                behind.RemoveAt(behind.Count - 1);
                if (target.StartsWith('/'))
                {
                    behind.Clear();
                }

                Push(ahead, target);
                found = Look(behind);
            }
            else if (entry.Stat.Type != Libc.S_IFDIR && ahead.Count > 0)
            {
                return null;
            }
        }

        return found;
    }

    private static void Push(Stack<string> ahead, string path)
    {
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse().Where(n => n != "."))
        {
            ahead.Push(name);
        }
    }

    /// <summary>The topmost entry of a path without links. The directories above it are known to be directories.</summary>
    private (Fd Layer, string Path, Libc.Statx Stat)? Look(List<string> names)
    {
        string path = names.Count == 0 ? "." : string.Join('/', names);
        if (path.Length > PathLimit || path.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        if (!_looked.TryGetValue(path, out (Fd Layer, string Path, Libc.Statx Stat)? found))
        {
            _looked[path] = found = LookIntoLayers(path);
        }

        return found;
    }

    private (Fd Layer, string Path, Libc.Statx Stat)? LookIntoLayers(string path)
    {
        for (int i = _layers.Length - 1; i >= 0; i--)
        {
            using Fd? entry = Open(_layers[i], path, Libc.O_PATH | Libc.O_NOFOLLOW);
            if (entry is not null)
            {
                // A character device with the number 0 is how a layer of an overlay says "nothing here".
                Libc.Statx stat = entry.Stat();
                bool isWhiteout = stat.Type == Libc.S_IFCHR && stat.RdevMajor == 0 && stat.RdevMinor == 0;
                return isWhiteout ? null : (_layers[i], path, stat);
            }

            if (Errno.Last == Errno.ENOTDIR)
            {
                return null;
            }
        }

        return null;
    }

    /// <summary>What is in a directory, given by its path without links; what a layer has may be hidden by one above.</summary>
    private IEnumerable<(string Name, Libc.Statx Stat)> ContentsOf(string path)
    {
        foreach (string name in _layers.SelectMany(l => EntriesOf(l, path)).Distinct(StringComparer.Ordinal))
        {
            if (Look([path, name]) is { } found)
            {
                yield return (name, found.Stat);
            }
        }
    }

    private static string[] EntriesOf(Fd layer, string path)
    {
        using Fd? directory = Open(layer, path, Libc.O_RDONLY | Libc.O_DIRECTORY);
        return directory is null ? [] : [.. Directory.EnumerateFileSystemEntries(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{directory.Number}")).Select(e => Path.GetFileName(e))];
    }

    private static Fd? Open(Fd layer, string path, int flags)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            int fd = Libc.OpenBeneath(layer.Number, p, flags);
            return fd >= 0 ? Fd.Own(fd, "open") : null;
        }
    }

    private static string? ReadLink(Fd layer, string path)
    {
        using Fd? link = Open(layer, path, Libc.O_PATH | Libc.O_NOFOLLOW);
        if (link is null)
        {
            return null;
        }

        byte[] target = new byte[PathLimit];
        byte empty = 0;
        fixed (byte* p = target)
        {
            nint length = Libc.readlinkat(link.Number, &empty, p, (nuint)target.Length);
            return length > 0 && length < target.Length ? Encoding.UTF8.GetString(target, 0, (int)length) : null;
        }
    }
}
