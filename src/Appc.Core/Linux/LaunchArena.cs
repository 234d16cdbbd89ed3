using Appc.Stage1;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// Memory at an address that is free in every process, so that a program can be made of what is in it: pointers
/// within it are right here and there.
/// </summary>
internal sealed unsafe class LaunchArena : IDisposable
{
    /// <summary>How much may be in it. Takes no memory that is not used.</summary>
    internal const int Size = 8 << 20;

    // Far below where kernels put programs, libraries and stacks, and far above null; exists also where addresses
    // have 39 bits only.
    private const ulong FirstAddress = 0x10_0000_0000;
    private const int Places = 1024;
    private const int MapFixedNoReplace = 0x100000;

    private byte* _free;

    internal LaunchArena()
    {
        for (int i = 0; i < Places; i++)
        {
            void* wanted = (void*)(FirstAddress + ((ulong)i * 2 * Size));
            void* got = LibC.mmap(wanted, Size, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | LibC.MAP_NORESERVE | MapFixedNoReplace, -1, 0);
            if (got == wanted)
            {
                Start = _free = (byte*)got;
                return;
            }

            if ((nint)got != -1)
            {
                // Before Linux 4.17 the flag is not known and the address a wish.
                _ = LibC.munmap(got, Size);
            }
        }

        throw new LaunchException("prepare the launcher", 12, "no command can be run from this process: no address range is free", "Too many are being started at once.");
    }

    internal byte* Start { get; private set; }

    internal int Used => (int)(_free - Start);

    /// <summary>Zeroed memory, on an address that eight divides.</summary>
    internal byte* Allocate(int size)
    {
        ObjectDisposedException.ThrowIf(Start is null, this);
        if (size > Size - Used)
        {
            throw new LaunchException("prepare the launcher", 7, "a command's arguments and environment are too long", "The kernel takes about two million bytes.");
        }

        byte* memory = _free;
        _free += (size + 7) & ~7;
        return memory;
    }

    public void Dispose()
    {
        if (Start is not null)
        {
            _ = LibC.munmap(Start, Size);
            Start = null;
        }
    }
}
