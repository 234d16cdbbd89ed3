using Appc.Linux;

namespace Appc.Images;

/// <summary>Modification times of the store's own files, which say when something was used last.</summary>
internal static unsafe class FileClock
{
    /// <summary>Sets a file's modification time, by one system call; false if that cannot be.</summary>
    public static bool Set(string path, DateTimeOffset time)
    {
        if (!OperatingSystem.IsLinux())
        {
            try
            {
                File.SetLastWriteTimeUtc(path, time.UtcDateTime);
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }

        Libc.Timespec* times = stackalloc Libc.Timespec[2];
        long ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        times[0] = new Libc.Timespec { Nanoseconds = Libc.UTIME_OMIT };
        times[1] = new Libc.Timespec
        {
            Seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out long rest),
            Nanoseconds = rest * TimeSpan.NanosecondsPerTick,
        };
        fixed (byte* p = Fd.PathBytes(path))
        {
            return Libc.utimensat(Libc.AT_FDCWD, p, times, Libc.AT_SYMLINK_NOFOLLOW) == 0;
        }
    }
}
