using Appc.Linux;
using Tmds.Linux;

namespace Appc.Stage1;

/// <summary>
/// Where the end of an app will be recorded. Held by descriptor, so that it is found again when the pod's directory
/// has moved on meanwhile.
/// </summary>
internal sealed unsafe class StatusFile : IDisposable
{
    private readonly Fd _directory;
    private readonly string _name;

    private StatusFile(Fd directory, string name)
    {
        _directory = directory;
        _name = name;
    }

    /// <exception cref="LaunchException">The directory is missing.</exception>
    internal static StatusFile Open(string path)
    {
        try
        {
            return new StatusFile(Fd.OpenDirectory(Path.GetDirectoryName(path)!), Path.GetFileName(path));
        }
        catch (ErrnoException e)
        {
            throw new LaunchException("open the status directory", 0, e.Message, null, e);
        }
    }

    /// <summary>Publishes the status by rename.</summary>
    /// <returns>Null, or what went wrong; a pod that has been removed meanwhile is nothing wrong.</returns>
    internal string? Write(ReadOnlySpan<byte> status)
    {
        fixed (byte* temporary = Fd.PathBytes($".{_name}.new"))
        fixed (byte* final = Fd.PathBytes(_name))
        fixed (byte* content = status)
        {
            int file = Create(temporary);
            if (file < 0 && Errno.Last == LibC.EEXIST)
            {
                // A pod may have put anything under this name too.
                _ = Libc.unlinkat(_directory.Number, temporary, 0);
                file = Create(temporary);
            }

            if (file < 0)
            {
                return Failure();
            }

            bool written = Libc.write(file, content, (nuint)status.Length) == status.Length;
            string? error = written ? null : Failure();
            _ = Libc.close(file);
            return !written ? error
                : Libc.RenameAt2(_directory.Number, temporary, _directory.Number, final, 0) < 0 ? Failure()
                : null;
        }
    }

    public void Dispose() => _directory.Dispose();

    private int Create(byte* name) => Libc.openat(
        _directory.Number, name, Libc.O_WRONLY | Libc.O_CREAT | LibC.O_EXCL | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0x1a4);

    private static string? Failure() => Errno.Last == Errno.ENOENT ? null : Errno.Describe(Errno.Last);
}
