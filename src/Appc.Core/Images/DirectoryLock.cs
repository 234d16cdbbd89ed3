using System.Diagnostics.CodeAnalysis;
using Appc.Linux;

namespace Appc.Images;

/// <summary>
/// An advisory lock on a directory that any process sees and that ends with its holder. On Linux it is taken on the
/// directory itself and moves with it; elsewhere on a file in <c>ROOT/locks</c>.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    private readonly IDisposable _handle;

    private DirectoryLock(IDisposable handle) => _handle = handle;

    /// <summary>What came of trying.</summary>
    public enum Outcome
    {
        /// <summary>The lock is held until disposed.</summary>
        Taken,

        /// <summary>Somebody else holds it.</summary>
        Busy,

        /// <summary>There is no such directory.</summary>
        Missing,
    }

    /// <summary>The open directory; Linux only.</summary>
    public Fd Directory => (Fd)_handle;

    /// <summary>Tries to lock a directory, without waiting; on other systems than Linux one below the data directory's <c>images</c> or <c>tmp</c>.</summary>
    public static Outcome TryTake(string directory, bool exclusive, out DirectoryLock? taken)
    {
        taken = null;
        return OperatingSystem.IsLinux() ? TryTakeOnLinux(directory, exclusive, out taken) : TryTakeFile(directory, exclusive, out taken);
    }

    public void Dispose() => _handle.Dispose();

    private static Outcome TryTakeOnLinux(string directory, bool exclusive, out DirectoryLock? taken)
    {
        taken = null;
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        byte[] name = Fd.PathBytes(full);
        Fd? fd = Open(name);
        if (fd is null)
        {
            return Outcome.Missing;
        }

        bool kept = false;
        try
        {
            if (!fd.TryLock(exclusive))
            {
                return Outcome.Busy;
            }

            // Between open and lock the directory may have been removed, or renamed away to be removed.
            using Fd? again = Open(name);
            if (again is null || !again.Stat().IsSameFile(fd.Stat()))
            {
                return Outcome.Missing;
            }

            taken = new DirectoryLock(fd);
            kept = true;
            return Outcome.Taken;
        }
        finally
        {
            // Also where the second look failed: a lock that nobody knows of would stay as long as the process.
            if (!kept)
            {
                fd.Dispose();
            }
        }
    }

    private static unsafe Fd? Open(byte[] path)
    {
        fixed (byte* p = path)
        {
            int fd = Libc.openat(Libc.AT_FDCWD, p, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0);
            return fd < 0 && Errno.Last is Errno.ENOENT or Errno.ENOTDIR ? null : Fd.Own(fd, "open");
        }
    }

    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The lock owns the stream.")]
    private static Outcome TryTakeFile(string directory, bool exclusive, out DirectoryLock? taken)
    {
        taken = null;
        if (!System.IO.Directory.Exists(directory))
        {
            return Outcome.Missing;
        }

        string root = Path.GetDirectoryName(Path.GetDirectoryName(Path.GetFullPath(directory))!)!;
        string locks = Path.Combine(root, "locks");
        System.IO.Directory.CreateDirectory(locks);
        try
        {
            taken = new DirectoryLock(new FileStream(
                Path.Combine(locks, Path.GetFileName(directory)),
                FileMode.OpenOrCreate,
                exclusive ? FileAccess.ReadWrite : FileAccess.Read,
                exclusive ? FileShare.None : FileShare.Read));
            return Outcome.Taken;
        }
        catch (IOException)
        {
            return Outcome.Busy;
        }
    }
}
