using Appc.Stage1;
using Microsoft.Win32.SafeHandles;

namespace Appc.Linux;

/// <summary>
/// An exclusive lock on a file that ends when the last copy of its descriptor is closed, also in child
/// processes that inherited it. On Linux this is flock(2) on a descriptor of our own: the runtime's own file
/// locking unlocks when its handle is closed, which would take the lock away from a child that inherited it.
/// </summary>
internal sealed class LockFile : IDisposable
{
    private readonly Fd? _file;
    private readonly FileStream? _stream;

    private LockFile(string path, Fd? file, FileStream? stream)
    {
        Path = path;
        _file = file;
        _stream = stream;
    }

    public string Path { get; }

    /// <summary>The descriptor that children inherit; -1 on systems without such locks.</summary>
    public int Descriptor => _file?.Number ?? -1;

    /// <summary>Takes the lock; null if somebody else holds it.</summary>
    /// <param name="path">The lock file.</param>
    /// <param name="create">Whether the file is made; otherwise a missing file gives null.</param>
    public static LockFile? TryExclusive(string path, bool create)
    {
        if (!OperatingSystem.IsLinux())
        {
            return TryStream(path, create);
        }

        while (true)
        {
            Fd? file = Open(path, create);
            if (file is null)
            {
                return null;
            }

            if (!file.TryLock(exclusive: true))
            {
                file.Dispose();
                return null;
            }

            // Whoever collects a pod unlinks its lock file while holding it: a lock on a file that is no longer
            // reachable by its name protects nothing.
            if (file.Stat().Links > 0)
            {
                return new LockFile(path, file, null);
            }

            file.Dispose();
            if (!create)
            {
                return null;
            }
        }
    }

    /// <summary>Takes the lock together with others who look on; null if somebody holds it alone, or the file is gone.</summary>
    public static LockFile? TryShared(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return TryStream(path, create: false);
        }

        if (Open(path, create: false) is { } file)
        {
            if (file.TryLock(exclusive: false) && file.Stat().Links > 0)
            {
                return new LockFile(path, file, null);
            }

            file.Dispose();
        }

        return null;
    }

    /// <summary>
    /// Has this program hold the lock that a process has inherited, too, until the result is disposed of or this program ends;
    /// null if the process is gone or does not have it. Not after that lock has been released by who took it.
    /// </summary>
    public static SafeFileHandle? TryJoin(string path, Stage1ProcessId holder)
    {
        using SafeFileHandle? process = OperatingSystem.IsLinux() ? ProcessIdentity.TryOpen(holder) : null;
        return process is null ? null : PidFd.CopyDescriptor(process, holder.Pid, link => link == path, stat => stat.Type == Libc.S_IFREG);
    }

    /// <summary>Takes a lock that is held for moments at a time, as soon as nobody else holds it.</summary>
    public static async Task<LockFile> WaitExclusiveAsync(string path, CancellationToken cancellationToken)
    {
        const int LongestDelay = 50;
        for (int delay = 1; ; delay = Math.Min(delay * 2, LongestDelay))
        {
            if (TryExclusive(path, create: true) is { } mine)
            {
                return mine;
            }

            await Task.Delay(delay, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether anybody holds the lock. Looks only: takes a shared lock for a moment.</summary>
    public static bool IsHeld(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            using LockFile? mine = TryStream(path, create: false);
            return mine is null && File.Exists(path);
        }

        int number = OpenNumber(path, create: false);
        try
        {
            return number >= 0 && !Fd.TryLock(number, exclusive: false);
        }
        finally
        {
            _ = number >= 0 ? Libc.close(number) : 0;
        }
    }

    /// <summary>Takes the file's name away while the lock is still held.</summary>
    public void Delete()
    {
        _stream?.Dispose();
        File.Delete(Path);
    }

    /// <summary>Frees the lock, also where other processes have copies of the descriptor, and closes it.</summary>
    public void Release()
    {
        if (_file is not null)
        {
            _ = Libc.flock(_file.Number, Libc.LOCK_UN);
        }

        Dispose();
    }

    public void Dispose()
    {
        _file?.Dispose();
        _stream?.Dispose();
    }

    private static LockFile? TryStream(string path, bool create)
    {
        try
        {
            return new LockFile(path, null, new FileStream(path, create ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.ReadWrite, FileShare.None));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static Fd? Open(string path, bool create) => OpenNumber(path, create) is >= 0 and int number ? Fd.Own(number, "open") : null;

    /// <summary>A descriptor; -1 if there is no such file.</summary>
    private static unsafe int OpenNumber(string path, bool create)
    {
        // Read-only: a pod's first process inherits this description and must be able to do nothing with it.
        const uint OwnerOnly = 0x180;
        fixed (byte* p = Fd.PathBytes(path))
        {
            int number = Libc.openat(Libc.AT_FDCWD, p, Libc.O_RDONLY | Libc.O_CLOEXEC | (create ? Libc.O_CREAT : 0), OwnerOnly);
            if (create || number >= 0 || Errno.Last != Errno.ENOENT)
            {
                ErrnoException.ThrowIfFailed(number, $"open {path}");
            }

            return number;
        }
    }
}
