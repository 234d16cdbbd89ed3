using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Appc.Linux;

/// <summary>
/// An exclusive lock on a file that ends when the last copy of its descriptor is closed, also in child
/// processes that inherited it. On Linux this is flock(2) on a descriptor of our own: the runtime's own file
/// locking unlocks when its handle is closed, which would take the lock away from a child that inherited it.
/// </summary>
internal sealed partial class LockFile : IDisposable
{
    private const int LockShared = 1;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;

    private readonly SafeFileHandle? _handle;
    private readonly FileStream? _stream;

    private LockFile(string path, SafeFileHandle? handle, FileStream? stream)
    {
        Path = path;
        _handle = handle;
        _stream = stream;
    }

    public string Path { get; }

    /// <summary>The descriptor that children inherit; -1 on systems without such locks.</summary>
    public int Descriptor => _handle is null ? -1 : (int)_handle.DangerousGetHandle();

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
            SafeFileHandle? handle = Open(path, create);
            if (handle is null)
            {
                return null;
            }

            if (Flock(handle, LockExclusive | LockNonBlocking) != 0)
            {
                handle.Dispose();
                return null;
            }

            // Whoever collects a pod unlinks its lock file while holding it: a lock on a file that is no longer
            // reachable by its name protects nothing.
            if (IsStillLinked(handle))
            {
                return new LockFile(path, handle, null);
            }

            handle.Dispose();
            if (!create)
            {
                return null;
            }
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

        using SafeFileHandle? handle = Open(path, create: false);
        return handle is not null && Flock(handle, LockShared | LockNonBlocking) != 0;
    }

    /// <summary>Takes the file's name away while the lock is still held.</summary>
    public void Delete()
    {
        if (_stream is not null)
        {
            _stream.Dispose();
        }

        File.Delete(Path);
    }

    public void Dispose()
    {
        _handle?.Dispose();
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

    private static SafeFileHandle? Open(string path, bool create)
    {
        const int NoSuchEntry = 2;
        const int Create = 0x40;
        const int CloseOnExec = 0x80000;

        // Read-only: a pod's first process inherits this description and must be able to do nothing with it.
        int descriptor = OpenFile(path, CloseOnExec | (create ? Create : 0), 0x180);
        if (descriptor >= 0)
        {
            return new SafeFileHandle(descriptor, ownsHandle: true);
        }

        int errno = Marshal.GetLastPInvokeError();
        return errno == NoSuchEntry && !create
            ? null
            : throw new IOException($"cannot open the lock file {path}: {Marshal.GetPInvokeErrorMessage(errno)}");
    }

    private static unsafe bool IsStillLinked(SafeFileHandle handle)
    {
        const int EmptyPath = 0x1000;
        const uint LinkCount = 4;
        const int LinkCountOffset = 16;
        byte* buffer = stackalloc byte[256];
        return Statx(handle, string.Empty, EmptyPath, LinkCount, buffer) == 0 && *(uint*)(buffer + LinkCountOffset) > 0;
    }

    // open(2)
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);

    // flock(2)
    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle descriptor, int operation);

    // statx(2)
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(SafeFileHandle directory, string path, int flags, uint mask, byte* buffer);
}
