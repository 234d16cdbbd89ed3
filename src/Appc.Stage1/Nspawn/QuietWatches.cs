using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Makes the end of a pod's systemd cheap. It watches directories by inotify, and the kernel holds whoever takes the last watch
/// from a directory until all readers of watches have gone by: some ten milliseconds, where the whole life of a short pod is
/// forty. One watch it does without (<see cref="NoMountTable"/>); the others that can be are on one directory of the stage1
/// tree, which this runtime watches as well as long as it lives, so that none of a pod's is the last.
/// </summary>
internal sealed class QuietWatches : IDisposable
{
    /// <summary>
    /// The directory in the stage1 tree: the one in which systemd awaits the file that tells the time zone. Where
    /// questions about passwords would be is made to lead there too by <see cref="InitProgram"/>.
    /// </summary>
    internal const string SharedDirectory = "etc";

    /// <summary>
    /// For libmount, in which systemd watches mounts: a place where no table can be, at which it gives up. No unit of a pod
    /// is a mount, and every pod holds one inotify instance less.
    /// </summary>
    internal const string NoMountTable = "LIBMOUNT_UTAB=/dev/null/utab";

    private Inotify? _inotify;
    private string? _tree;

    /// <summary>Watches a tree's directory, instead of that of another tree; without a watch pods take longer to end.</summary>
    internal void Share(string tree)
    {
        if (tree == _tree)
        {
            return;
        }

        _tree = tree;
        Dispose();
        try
        {
            _inotify = new Inotify();
            _ = _inotify.Watch(Path.Combine(tree, SharedDirectory), Inotify.DeletedSelf);
        }
        catch (ErrnoException)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _inotify?.Dispose();
        _inotify = null;
    }
}
