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
    private const int Page = 0x10000; // the largest of the pages that are in use
    private const int CodeOffset = 0x100;
    private const int HeaderSize = 64;
    private const int SegmentSize = 56;
    private const uint Load = 1;
    private const uint GnuStack = 0x6474e551;
    private const uint Execute = 1;
    private const uint Write = 2;
    private const uint Read = 4;

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

        ulong codeAddress = (ulong)arena.Start - (2 * Page);
        byte[] head = new byte[CodeOffset + code.Length];
        Span<byte> elf = head;
        ((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]).CopyTo(elf); // 64 bits, little endian
        BinaryPrimitives.WriteUInt16LittleEndian(elf[16..], 2); // at fixed addresses
        BinaryPrimitives.WriteUInt16LittleEndian(elf[18..], (ushort)(isX64 ? 62 : 183));
        BinaryPrimitives.WriteUInt32LittleEndian(elf[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(elf[24..], codeAddress + CodeOffset);
        BinaryPrimitives.WriteUInt64LittleEndian(elf[32..], HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(elf[52..], HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(elf[54..], SegmentSize);
        BinaryPrimitives.WriteUInt16LittleEndian(elf[56..], 3);
        WriteSegment(elf[HeaderSize..], Load, Read | Execute, 0, codeAddress, head.Length);
        WriteSegment(elf[(HeaderSize + SegmentSize)..], Load, Read | Write, Page, (ulong)arena.Start, arena.Used);
        WriteSegment(elf[(HeaderSize + (2 * SegmentSize))..], GnuStack, Read | Write, 0, 0, 0);
        code.CopyTo(elf[CodeOffset..]);

        fixed (byte* name = Fd.PathBytes(title))
        {
            SafeFileHandle file = new(LibC.memfd_create(name, LibC.MFD_CLOEXEC | LibC.MFD_ALLOW_SEALING), ownsHandle: true);
            if (file.IsInvalid)
            {
                throw new LaunchException("prepare the launcher", LibC.errno, $"the program of a launch cannot be made: memfd_create: {Errno.Describe(LibC.errno)}");
            }

            RandomAccess.Write(file, head, 0);
            RandomAccess.Write(file, new ReadOnlySpan<byte>(arena.Start, arena.Used), Page);
            const int Seals = 1 | 2 | 4 | 8; // no more seals, not shorter, not longer, not written
            ErrnoException.ThrowIfFailed(Libc.fcntl((int)file.DangerousGetHandle(), Libc.F_ADD_SEALS, Seals), "seal the launcher");
            return file;
        }
    }

    private static void WriteSegment(Span<byte> segment, uint type, uint flags, ulong offset, ulong address, long size)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(segment, type);
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[8..], offset);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], address);
        BinaryPrimitives.WriteInt64LittleEndian(segment[32..], size);
        BinaryPrimitives.WriteInt64LittleEndian(segment[40..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], Page);
    }
}
