namespace Appc.Linux;

/// <summary>Makes a file durable, or says that it is not.</summary>
internal static class FileFlush
{
    /// <summary>
    /// Flushes a file to the disk. On Linux by fsync(2) itself: the runtime's own flush keeps the errors of that call to
    /// itself, so that a disk that is full or broken looks like success.
    /// </summary>
    /// <exception cref="IOException">The kernel could not write everything.</exception>
    public static void ToDisk(FileStream file)
    {
        if (!OperatingSystem.IsLinux())
        {
            file.Flush(flushToDisk: true);
            return;
        }

        file.Flush();
        ErrnoException.ThrowIfFailed(Libc.fsync((int)file.SafeFileHandle.DangerousGetHandle()), "fsync " + file.Name);
    }
}
