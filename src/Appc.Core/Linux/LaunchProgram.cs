using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Appc.Stage1;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// Makes a program of a plan's memory: an ELF file with two segments, the loop that runs the steps and the memory
/// itself, in a sealed memory file.
/// </summary>
/// <remarks>
/// A child that goes to where hostile processes are must not share this process's memory, as <see cref="LaunchStub"/>
/// does, nor hold a copy of it: whoever could trace it would read all of it. This program knows nothing but its plan.
/// Nobody can write to its file through <c>/proc/PID/exe</c>: it is sealed.
/// </remarks>
internal static unsafe partial class LaunchProgram
{
    private const int CodeOffset = 0x100;

    /// <summary>Name of a program that runs a command in a pod.</summary>
    internal const string Enter = "appc-enter";

    /// <summary>Name of a program that stays, see <see cref="LaunchPlan.BeginParent"/>.</summary>
    internal const string Keeper = "appc-keeper";

    /// <summary>Where the link of a program's file leads, up to its name.</summary>
    internal const string LinkPrefix = "/memfd:";

    /// <summary>Writes the program.</summary>
    /// <param name="arena">The memory.</param>
    /// <param name="header">The plan, in the memory.</param>
    /// <param name="title">Its name.</param>
    internal static SafeFileHandle WriteTo(LaunchArena arena, LaunchStub.Header* header, string title)
    {
        bool isX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        byte[] code = (isX64 ? X64 : Arm64).ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(code.AsSpan(isX64 ? 2 : code.Length - 8), (ulong)header);

        ulong codeAddress = (ulong)arena.Start - (2 * ElfHeader.Page);
        byte[] head = new byte[CodeOffset + code.Length];
        ElfHeader.WriteFile(head, RuntimeInformation.ProcessArchitecture, codeAddress + CodeOffset, segments: 3);
        ElfHeader.WriteSegment(head, 0, ElfHeader.Load, ElfHeader.Read | ElfHeader.Execute, 0, codeAddress, head.Length);
        ElfHeader.WriteSegment(head, 1, ElfHeader.Load, ElfHeader.Read | ElfHeader.Write, ElfHeader.Page, (ulong)arena.Start, arena.Used);
        ElfHeader.WriteSegment(head, 2, ElfHeader.GnuStack, ElfHeader.Read | ElfHeader.Write, 0, 0, 0);
        code.CopyTo(head, CodeOffset);

        fixed (byte* name = Fd.PathBytes(title))
        {
            SafeFileHandle file = new(LibC.memfd_create(name, LibC.MFD_CLOEXEC | LibC.MFD_ALLOW_SEALING), ownsHandle: true);
            if (file.IsInvalid)
            {
                throw new LaunchException("prepare the launcher", LibC.errno, $"the program of a launch cannot be made: memfd_create: {Errno.Describe(LibC.errno)}");
            }

            RandomAccess.Write(file, head, 0);
            RandomAccess.Write(file, new ReadOnlySpan<byte>(arena.Start, arena.Used), ElfHeader.Page);
            const int Seals = 1 | 2 | 4 | 8; // no more seals, not shorter, not longer, not written
            ErrnoException.ThrowIfFailed(Libc.fcntl((int)file.DangerousGetHandle(), Libc.F_ADD_SEALS, Seals), "seal the launcher");
            return file;
        }
    }
}
