using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>A pseudo terminal of the host: this side, and the side that a program is given.</summary>
internal sealed unsafe class Terminal : IDisposable
{
    internal const nuint TIOCSPTLCK = 0x40045431;
    private const nuint TIOCGPTPEER = 0x5441;
    internal const nuint TIOCSWINSZ = 0x5414;

    private Terminal(SafeFileHandle master, SafeFileHandle slave)
    {
        Master = master;
        Slave = slave;
    }

    /// <summary>This side.</summary>
    internal SafeFileHandle Master { get; }

    /// <summary>The program's side. Opened without a path: nothing that the program's root holds decides what it is.</summary>
    internal SafeFileHandle Slave { get; }

    internal static Terminal Open(int columns, int rows)
    {
        SafeFileHandle? master = null;
        try
        {
            fixed (byte* path = "/dev/ptmx\0"u8)
            {
                master = Own(Libc.openat(Libc.AT_FDCWD, path, LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_CLOEXEC, 0), "open /dev/ptmx");
            }

            int number = (int)master.DangerousGetHandle();
            int unlocked = 0;
            ErrnoException.ThrowIfFailed(Libc.ioctl(number, TIOCSPTLCK, (nint)(&unlocked)), "unlock the terminal");
            SafeFileHandle slave = Own(Libc.ioctl(number, TIOCGPTPEER, LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_CLOEXEC), "open the terminal");
            Terminal terminal = new(master, slave);
            Resize(master, columns, rows);
            return terminal;
        }
        catch
        {
            master?.Dispose();
            throw;
        }
    }

    /// <summary>Changes the size; does nothing once this side is closed.</summary>
    internal static void Resize(SafeFileHandle master, int columns, int rows)
    {
        using HeldDescriptor? held = HeldDescriptor.TryTake(master);
        if (held is null)
        {
            // The command is over.
            return;
        }

        ReadOnlySpan<ushort> size = [(ushort)rows, (ushort)columns, 0, 0];
        fixed (ushort* p = size)
        {
            ErrnoException.ThrowIfFailed(Libc.ioctl(held.Number, TIOCSWINSZ, (nint)p), "resize the terminal");
        }
    }

    /// <summary>Gives the program's side to a user.</summary>
    internal void GiveTo(uint uid) => ErrnoException.ThrowIfFailed(Libc.fchown((int)Slave.DangerousGetHandle(), uid, uint.MaxValue), "chown the terminal");

    /// <summary>Another descriptor for this side.</summary>
    internal SafeFileHandle DuplicateMaster()
    {
        const int F_DUPFD_CLOEXEC = 1030;
        return Own(Libc.fcntl((int)Master.DangerousGetHandle(), F_DUPFD_CLOEXEC, 0), "fcntl");
    }

    public void Dispose()
    {
        Master.Dispose();
        Slave.Dispose();
    }

    private static SafeFileHandle Own(int descriptor, string call)
    {
        ErrnoException.ThrowIfFailed(descriptor, call);
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }
}
