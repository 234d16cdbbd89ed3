using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>One inotify instance: tells what happens in directories. Reading never waits.</summary>
internal sealed unsafe class Inotify : IDisposable
{
    internal const uint Attributes = 0x4;
    internal const uint CloseWrite = 0x8;
    internal const uint MovedFrom = 0x40;
    internal const uint MovedTo = 0x80;
    internal const uint Created = 0x100;
    internal const uint Deleted = 0x200;
    internal const uint DeletedSelf = 0x400;
    internal const uint Overflow = 0x4000;
    internal const uint Ignored = 0x8000;

    private const uint OnlyDirectory = 0x0100_0000;
    private const int BufferBytes = 64 * 1024;

    private byte[]? _buffer;

    /// <exception cref="ErrnoException">The host gives this user no more instances.</exception>
    internal Inotify()
    {
        int descriptor = Libc.inotify_init1(Libc.IN_NONBLOCK | Libc.IN_CLOEXEC);
        if (descriptor < 0)
        {
            throw new ErrnoException("inotify_init1", Errno.Last);
        }

        Handle = new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Becomes readable when there is something to <see cref="Read"/>.</summary>
    internal SafeFileHandle Handle { get; }

    /// <summary>Watches a directory; the watch stays with it when it is moved, and goes with it.</summary>
    /// <returns>The number of the watch; -1 if there is no such directory.</returns>
    /// <exception cref="ErrnoException">The host gives no more watches.</exception>
    internal int Watch(string directory, uint events)
    {
        fixed (byte* path = Fd.PathBytes(directory))
        {
            int watch = Libc.inotify_add_watch((int)Handle.DangerousGetHandle(), path, events | OnlyDirectory);
            if (watch >= 0)
            {
                return watch;
            }

            int errno = Errno.Last;
            return errno is Errno.ENOENT or Errno.ENOTDIR ? -1 : throw new ErrnoException("inotify_add_watch", errno);
        }
    }

    /// <summary>Takes a watch away; nothing happens if it went already.</summary>
    internal void Forget(int watch) => _ = Libc.inotify_rm_watch((int)Handle.DangerousGetHandle(), watch);

    /// <summary>Hands over all that has happened: number of the watch, events, and the name in the directory, empty for the directory itself.</summary>
    internal void Read(Action<int, uint, string> happened)
    {
        const int HeaderBytes = 16;
        fixed (byte* buffer = _buffer ??= GC.AllocateUninitializedArray<byte>(BufferBytes))
        {
            nint length;
            while ((length = (nint)LibC.read((int)Handle.DangerousGetHandle(), buffer, BufferBytes)) > 0)
            {
                for (nint at = 0; at + HeaderBytes <= length;)
                {
                    int watch = *(int*)(buffer + at);
                    uint events = *(uint*)(buffer + at + 4);
                    int nameBytes = (int)*(uint*)(buffer + at + 12);
                    ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer + at + HeaderBytes);
                    happened(watch, events, nameBytes == 0 ? string.Empty : Encoding.UTF8.GetString(name));
                    at += HeaderBytes + nameBytes;
                }
            }
        }
    }

    public void Dispose() => Handle.Dispose();
}
