using Appc.Images.Tar;
using Appc.Linux;
using Microsoft.Win32.SafeHandles;

namespace Appc.Images.Verification;

/// <summary>
/// Asks the store's file system what it makes of a time or an attribute: some keep no fractions of seconds, some end in
/// 2038, and the kernel rewrites capabilities. Only asked where a tree and its archive differ.
/// </summary>
internal sealed unsafe class FileSystemProbe(StoreLayout layout) : IDisposable
{
    private const int LargestValue = 64 << 10;

    private TemporaryDirectory? _directory;
    private FileStream? _file;
    private bool _failed;

    /// <summary>The time that a file has after it was given this one.</summary>
    public TarTime Time(TarTime time)
    {
        if (!Open(out int fd))
        {
            return time;
        }

        Libc.Timespec* times = stackalloc Libc.Timespec[2];
        times[0] = times[1] = new Libc.Timespec { Seconds = time.Seconds, Nanoseconds = time.Nanoseconds };
        return Libc.futimens(fd, times) == 0 && Libc.StatFd(fd, out Libc.Statx stat) == 0
            ? new TarTime(stat.ModifyTime.Seconds, (int)stat.ModifyTime.Nanoseconds)
            : time;
    }

    /// <summary>The value that an attribute has after it was set; null if the kernel does not take it.</summary>
    public byte[]? Attribute(TarAttribute attribute)
    {
        if (!Open(out int fd))
        {
            return attribute.Value;
        }

        byte[] buffer = new byte[LargestValue];
        fixed (byte* name = (byte[])[.. attribute.Name, 0])
        fixed (byte* value = attribute.Value)
        fixed (byte* b = buffer)
        {
            if (Libc.fsetxattr(fd, name, value, (nuint)attribute.Value.Length, 0) < 0)
            {
                return null;
            }

            nint length = Libc.fgetxattr(fd, name, b, (nuint)buffer.Length);
            return length < 0 ? null : buffer[..(int)length];
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _directory?.Dispose();
    }

    // A store that cannot be written to is verified all the same: then what the archive says is what counts.
    private bool Open(out int fd)
    {
        if (_file is null && !_failed)
        {
            try
            {
                _directory = TemporaryDirectory.Create(layout);
                _file = new FileStream(Path.Combine(_directory.Path, "probe"), FileMode.CreateNew, FileAccess.ReadWrite);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ImageException)
            {
                _failed = true;
            }
        }

        SafeFileHandle? handle = _file?.SafeFileHandle;
        fd = (int)(handle?.DangerousGetHandle() ?? -1);
        return handle is not null;
    }
}
