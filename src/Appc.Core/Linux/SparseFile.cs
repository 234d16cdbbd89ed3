using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Frees space at the head of files that grow, and finds out where it was freed. Offsets in the file stay as they were.</summary>
internal static class SparseFile
{
    /// <summary>What is freed ends at a multiple of this: no file system has larger blocks, of which it would overwrite a part.</summary>
    internal const long Unit = 64 * 1024;

    /// <summary>Where the first byte at or after an offset lies that was not freed; the length of the file if there is none.</summary>
    internal static long NextData(SafeFileHandle file, long offset) => Seek(file, offset, Libc.SEEK_DATA);

    /// <summary>Where the first freed byte at or after an offset lies; the length of the file if there is none.</summary>
    internal static long NextHole(SafeFileHandle file, long offset) => Seek(file, offset, Libc.SEEK_HOLE);

    /// <summary>Frees what is before the last bytes of a file, at least so many; nothing if there is no such file.</summary>
    /// <returns>Whether something was freed.</returns>
    /// <exception cref="ErrnoException">The file system cannot do it.</exception>
    internal static bool KeepLast(string path, long bytes)
    {
        using SafeFileHandle? file = UntrustedFile.TryOpen(path, LibC.O_RDWR);
        if (file is null)
        {
            return false;
        }

        long end = (RandomAccess.GetLength(file) - bytes) / Unit * Unit;
        if (end <= 0 || NextData(file, 0) >= end)
        {
            return false;
        }

        ErrnoException.ThrowIfFailed(
            Libc.fallocate((int)file.DangerousGetHandle(), Libc.FALLOC_FL_PUNCH_HOLE | Libc.FALLOC_FL_KEEP_SIZE, 0, end), $"free space of {path}");
        return true;
    }

    private static long Seek(SafeFileHandle file, long offset, int whence)
    {
        if (!OperatingSystem.IsLinux())
        {
            return whence == Libc.SEEK_DATA ? offset : Math.Max(offset, RandomAccess.GetLength(file));
        }

        // Before the seek: a file that grows behind the offset meanwhile has nothing freed there.
        long length = RandomAccess.GetLength(file);
        using HeldDescriptor held = HeldDescriptor.TryTake(file) ?? throw new ObjectDisposedException(nameof(file));
        long found = Libc.lseek(held.Number, offset, whence);
        return found >= 0 ? found
            : Errno.Last == Errno.ENXIO ? Math.Max(offset, length)
            : throw new ErrnoException("seek in a log file", Errno.Last);
    }
}
