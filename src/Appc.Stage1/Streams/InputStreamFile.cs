using System.Globalization;
using Appc.Linux;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Streams;

/// <summary>
/// The input of an app that is a stream: a FIFO in a part of the pod's directory that only root can enter, and what keeps it
/// open for writing as long as the pod lives (<see cref="HeldInput"/>).
/// </summary>
internal sealed unsafe class InputStreamFile : IDisposable
{
    private const uint Fifo = 0x1000;
    private const uint OwnerOnly = 0x180;

    private InputStreamFile(HeldInput held, SafeFileHandle reader)
    {
        Held = held;
        Reader = reader;
    }

    /// <summary>What the pod's first process must inherit.</summary>
    internal HeldInput Held { get; }

    /// <summary>The side to read from.</summary>
    internal SafeFileHandle Reader { get; }

    /// <summary>Makes the FIFO, owned by the app's user so that the app can open its <c>/dev/stdin</c> once more.</summary>
    /// <param name="path">The FIFO; its directory must be there.</param>
    /// <param name="record">Where to record by what the hold is found again.</param>
    /// <param name="uid">The host's id of the app's user.</param>
    /// <param name="gid">The host's id of the app's group.</param>
    internal static InputStreamFile Make(string path, string record, uint uid, uint gid)
    {
        MakeFifo(path, OwnerOnly);
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.fchownat(Libc.AT_FDCWD, p, uid, gid, Libc.AT_SYMLINK_NOFOLLOW), $"chown {path}");
        }

        SafeFileHandle reader = Open(path, Libc.O_RDONLY);
        try
        {
            using SafeFileHandle writer = Open(path, Libc.O_WRONLY);
            HeldInput held = HeldInput.Of(writer);
            File.WriteAllText(record, held.Inode.ToString(CultureInfo.InvariantCulture));

            // The app waits for what comes.
            ErrnoException.ThrowIfFailed(Libc.fcntl((int)reader.DangerousGetHandle(), Libc.F_SETFL, 0), "fcntl");
            return new InputStreamFile(held, reader);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Makes a FIFO of root's.</summary>
    internal static void MakeFifo(string path, uint mode)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.mknodat(Libc.AT_FDCWD, p, Fifo | mode, 0), $"make {path}");
        }
    }

    /// <summary>Opens the side to write to, not waiting; null if nobody has the other side open.</summary>
    internal static SafeFileHandle? TryOpenWriter(string path)
    {
        try
        {
            SafeFileHandle writer = Open(path, Libc.O_WRONLY);
            if (Libc.StatFd((int)writer.DangerousGetHandle(), out Libc.Statx stat) == 0 && stat.Type == Fifo)
            {
                return writer;
            }

            writer.Dispose();
            return null;
        }
        catch (ErrnoException e) when (e.Number is Errno.ENXIO or Errno.ENOENT)
        {
            return null;
        }
    }

    /// <summary>
    /// Has whoever opens the input from now on read its end at once: systemd opens it once more for the program that records the
    /// app's end, and would wait there for somebody to write.
    /// </summary>
    internal static void Replace(string path)
    {
        string empty = path + ".end";
        using (File.Create(empty))
        {
            Libc.TryStat(path, out Libc.Statx stat);
            fixed (byte* p = Fd.PathBytes(empty))
            {
                _ = Libc.fchownat(Libc.AT_FDCWD, p, stat.Uid, stat.Gid, Libc.AT_SYMLINK_NOFOLLOW);
                _ = Libc.fchmodat(Libc.AT_FDCWD, p, OwnerOnly, 0);
            }
        }

        File.Move(empty, path, overwrite: true);
    }

    /// <summary>Whether the input was replaced by its end.</summary>
    internal static bool IsReplaced(string path) => !Libc.TryStat(path, out Libc.Statx stat) || stat.Type != Fifo;

    public void Dispose()
    {
        Held.Dispose();
        Reader.Dispose();
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            int descriptor = Libc.openat(Libc.AT_FDCWD, p, flags | Libc.O_CLOEXEC | Libc.O_NOFOLLOW | Libc.O_NONBLOCK, 0);
            ErrnoException.ThrowIfFailed(descriptor, $"open {path}");
            return new SafeFileHandle(descriptor, ownsHandle: true);
        }
    }
}
