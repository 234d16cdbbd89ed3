using System.Text;
using Appc.Linux;

namespace Appc.Images.Rendering;

/// <summary>Lays one tree over another, by hard links.</summary>
internal sealed unsafe class TreeMerger(CancellationToken cancellationToken)
{
    private const uint WorkMode = 0x1c0;

    /// <summary>Merges a tree into a directory. Directories without an entry in their image do not change what lies there.</summary>
    public void Merge(Fd source, Fd target, HashSet<string> sourceImplied, HashSet<string> targetImplied) =>
        MergeInto(source, target, "", sourceImplied, targetImplied, isNew: false);

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
                    LinkOrCopy(source, target, n, stat);
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
