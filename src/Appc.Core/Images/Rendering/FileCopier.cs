using Appc.Linux;
using Microsoft.Win32.SafeHandles;

namespace Appc.Images.Rendering;

/// <summary>Copies a regular file where a hard link is not possible; shares its blocks where the file system can.</summary>
internal static unsafe class FileCopier
{
    private const uint WorkMode = 0x180;

    public static void Copy(Fd source, Fd target, byte* name, Libc.Statx stat)
    {
        using Fd from = Fd.Own(Libc.openat(source.Number, name, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0), "open");
        using Fd to = Fd.Own(
            Libc.openat(target.Number, name, Libc.O_WRONLY | Libc.O_CREAT | Libc.O_EXCL | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, WorkMode), "open");
        if (!Libc.TryClone(from.Number, to.Number))
        {
            using FileStream reader = new(new SafeFileHandle(from.Number, ownsHandle: false), FileAccess.Read, 0);
            using FileStream writer = new(new SafeFileHandle(to.Number, ownsHandle: false), FileAccess.Write, 0);
            reader.CopyTo(writer, (int)Math.Clamp(stat.Size, 4096, 1 << 20));
        }

        FileState.Of(from).Apply(to);
    }
}
