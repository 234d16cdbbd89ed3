using System.Text;
using Appc.Linux;

namespace Appc.Images.Rendering;

/// <summary>Lays one tree over another, by hard links or as copies.</summary>
internal sealed unsafe class TreeMerger(CancellationToken cancellationToken)
{
    private const uint WorkMode = 0x1c0;

    private readonly Dictionary<(uint, uint, ulong), byte[]> _copied = [];
    private Fd? _copyRoot;

    /// <summary>Merges a tree into a directory. Directories without an entry in their image do not change what lies there.</summary>
    /// <param name="source">The upper tree.</param>
    /// <param name="target">The directory, which has the lower trees already.</param>
    /// <param name="sourceImplied">Directories of the upper tree without an entry.</param>
    /// <param name="targetImplied">Directories of the lower ones without an entry; becomes that of all.</param>
    /// <param name="copy">Whether files become copies of their own, linked to each other as they were.</param>
    public void Merge(Fd source, Fd target, HashSet<string> sourceImplied, HashSet<string> targetImplied, bool copy)
    {
        _copied.Clear();
        _copyRoot = copy ? target : null;
        MergeInto(source, target, "", sourceImplied, targetImplied, isNew: false);
    }

    private void MergeInto(Fd source, Fd target, string path, HashSet<string> sourceImplied, HashSet<string> targetImplied, bool isNew)
    {
        cancellationToken.ThrowIfCancellationRequested();
        bool implied = sourceImplied.Contains(path);
        FileState state = FileState.Of(implied && !isNew ? target : source);
        foreach ((byte[] name, _) in DirectoryReader.Read(source))
        {
            fixed (byte* n = name)
            {
                ErrnoException.ThrowIfFailed(Libc.StatAt(source.Number, n, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx stat), "statx");
                bool exists = Libc.StatAt(target.Number, n, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx below) == 0;
                bool isDirectory = stat.Type == Libc.S_IFDIR;
                string child = path.Length == 0 ? Text(name) : $"{path}/{Text(name)}";
                if (exists && !(isDirectory && below.Type == Libc.S_IFDIR))
                {
                    Remove(target, name, below, child, targetImplied);
                    exists = false;
                }

                if (!isDirectory)
                {
                    Place(source, target, n, child, stat);
                    continue;
                }

                if (!exists)
                {
                    ErrnoException.ThrowIfFailed(Libc.mkdirat(target.Number, n, WorkMode), "mkdirat");
                    targetImplied.Add(child);
                }

                if (!sourceImplied.Contains(child))
                {
                    targetImplied.Remove(child);
                }

                using Fd sourceChild = Fd.TryOpenDirectory(source, name)!;
                using Fd targetChild = Fd.TryOpenDirectory(target, name)!;
                MergeInto(sourceChild, targetChild, child, sourceImplied, targetImplied, isNew: !exists);
            }
        }

        // Last: what was done inside has changed the time.
        state.Apply(target);
    }

    private static void Remove(Fd target, byte[] name, Libc.Statx stat, string path, HashSet<string> targetImplied)
    {
        if (stat.Type == Libc.S_IFDIR)
        {
            TreeRemover.Remove(target, name);
            targetImplied.RemoveWhere(p => p == path || p.StartsWith(path + "/", StringComparison.Ordinal));
            return;
        }

        fixed (byte* n = name)
        {
            ErrnoException.ThrowIfFailed(Libc.unlinkat(target.Number, n, 0), "unlink");
        }
    }

    private void Place(Fd source, Fd target, byte* name, string path, Libc.Statx stat)
    {
        if (_copyRoot is null)
        {
            LinkOrCopy(source, target, name, stat);
            return;
        }

        if (stat.Links > 1)
        {
            (uint, uint, ulong) key = (stat.DevMajor, stat.DevMinor, stat.Inode);
            if (_copied.TryGetValue(key, out byte[]? first))
            {
                LinkToCopy(_copyRoot, first, target, name);
                return;
            }

            _copied.Add(key, Encoding.Latin1.GetBytes(path));
        }

        FileCopier.Copy(source, target, name, stat);
    }

    /// <summary>Links a name to the copy that was made under another one; that lies as deep as paths go, so its directory is opened first.</summary>
    private static void LinkToCopy(Fd root, byte[] first, Fd target, byte* name)
    {
        int slash = first.AsSpan().LastIndexOf((byte)'/');
        fixed (byte* directory = (byte[])[.. slash < 0 ? "."u8 : first.AsSpan(0, slash), 0])
        fixed (byte* file = (byte[])[.. first.AsSpan(slash + 1), 0])
        {
            using Fd parent = Fd.Own(Libc.OpenBeneath(root.Number, directory, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW), "openat2");
            ErrnoException.ThrowIfFailed(Libc.linkat(parent.Number, file, target.Number, name, 0), "link");
        }
    }

    private static void LinkOrCopy(Fd source, Fd target, byte* name, Libc.Statx stat)
    {
        int result = Libc.linkat(source.Number, name, target.Number, name, 0);
        if (result == 0)
        {
            return;
        }

        int errno = Errno.Last;
        if (stat.Type != Libc.S_IFREG || errno is not (Errno.EMLINK or Errno.EXDEV or Errno.EPERM))
        {
            throw new ErrnoException("link", errno);
        }

        FileCopier.Copy(source, target, name, stat);
    }

    private static string Text(byte[] terminatedName) => Encoding.Latin1.GetString(terminatedName.AsSpan(0, terminatedName.Length - 1));
}
