using System.Text;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// The large shared objects of a stage1 tree. They lie in a directory of their own, to which links lead from where the
/// loader looks for them, so that a pod can be shown the host's own files in their place.
/// </summary>
internal static class Stage1TreeObjects
{
    /// <summary>Where they lie, in the tree as in every pod.</summary>
    internal const string Directory = Stage1TreeFiles.PodDirectory + "/" + PodPaths.ObjectsName;

    /// <summary>What they were copied from: a line of name, device, inode, size, time and path for each.</summary>
    internal const string Record = "usr/lib/appc/objects";

    // Four on current distributions, which make up three quarters of what the pod's systemd has mapped of files. Each is a
    // mount and, for the pod's systemd, a unit more, which smaller ones do not repay.
    private const long SmallestSize = 3 << 19;

    /// <summary>Copies shared objects of the host into a tree.</summary>
    internal static void Copy(IEnumerable<string> sources, string tree)
    {
        System.IO.Directory.CreateDirectory(tree + Directory);
        StringBuilder record = new();
        foreach (string source in sources)
        {
            string name = Path.GetFileName(source);
            string target = $"{tree}{Directory}/{name}";
            Libc.Statx state = StateOf(source);
            if (state.Size < SmallestSize || File.Exists(target))
            {
                Stage1TreeFiles.Copy(source, tree, source);
                continue;
            }

            Stage1TreeFiles.Copy(source, tree, $"{Directory}/{name}");
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(tree + source)!);
            File.CreateSymbolicLink(tree + source, $"{Directory}/{name}");

            // An upgrade in between: what was copied is not known, and nothing may be shown in its place.
            if (SourceState.Of(state) == SourceState.Of(StateOf(source)))
            {
                record.Append(name).Append(' ').Append(SourceState.Of(state)).Append(' ').Append(source).Append('\n');
            }
        }

        Stage1TreeFiles.Text(tree, Record, record.ToString());
    }

    /// <summary>Name, state and path of what was copied.</summary>
    internal static IEnumerable<(string Name, string State, string Source)> Read(string tree)
    {
        foreach (string line in File.ReadLines(Path.Combine(tree, Record)))
        {
            int name = line.IndexOf(' ', StringComparison.Ordinal);
            int source = line.IndexOf(" /", StringComparison.Ordinal);
            yield return (line[..name], line[(name + 1)..source], line[(source + 1)..]);
        }
    }

    private static unsafe Libc.Statx StateOf(string path)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.StatAt(Libc.AT_FDCWD, p, 0, out Libc.Statx stat), $"stat {path}");
            return stat;
        }
    }
}
