using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Appc.Linux;

/// <summary>Writes the head of an ELF program at fixed addresses: what the kernel reads to execute it.</summary>
internal static class ElfHeader
{
    internal const uint Load = 1;
    internal const uint GnuStack = 0x6474e551;
    internal const uint Execute = 1;
    internal const uint Write = 2;
    internal const uint Read = 4;

    /// <summary>The largest of the pages that are in use.</summary>
    internal const int Page = 0x10000;

    private const int CodeOffset = 0x100;
    private const ulong Address = 0x400000;

    /// <summary>Where the code of <see cref="MakeProgram"/> is, and what lies in it.</summary>
    internal const ulong ProgramAddress = Address + CodeOffset;

    private const int HeaderSize = 64;
    private const int SegmentSize = 56;

    /// <summary>Writes the file's header; the segments follow by <see cref="WriteSegment"/>.</summary>
    internal static void WriteFile(Span<byte> elf, Architecture architecture, ulong entry, int segments)
    {
        ((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]).CopyTo(elf); // 64 bits, little endian
        BinaryPrimitives.WriteUInt16LittleEndian(elf[16..], 2); // at fixed addresses
        BinaryPrimitives.WriteUInt16LittleEndian(elf[18..], (ushort)(architecture == Architecture.X64 ? 62 : 183));
        BinaryPrimitives.WriteUInt32LittleEndian(elf[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(elf[24..], entry);
        BinaryPrimitives.WriteUInt64LittleEndian(elf[32..], HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(elf[52..], HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(elf[54..], SegmentSize);
        BinaryPrimitives.WriteUInt16LittleEndian(elf[56..], (ushort)segments);
    }

    /// <summary>Writes the header of one segment.</summary>
    internal static void WriteSegment(Span<byte> elf, int index, uint type, uint flags, ulong offset, ulong address, long size)
    {
        Span<byte> segment = elf[(HeaderSize + (index * SegmentSize))..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, type);
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[8..], offset);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], address);
        BinaryPrimitives.WriteInt64LittleEndian(segment[32..], size);
        BinaryPrimitives.WriteInt64LittleEndian(segment[40..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], Page);
    }

    /// <summary>The file of a program that is nothing but code, at <see cref="ProgramAddress"/>, with a stack that cannot be executed.</summary>
    internal static byte[] MakeProgram(Architecture architecture, ReadOnlySpan<byte> code)
    {
        byte[] file = new byte[CodeOffset + code.Length];
        WriteFile(file, architecture, ProgramAddress, segments: 2);
        WriteSegment(file, 0, Load, Read | Execute, 0, Address, file.Length);
        WriteSegment(file, 1, GnuStack, Read | Write, 0, 0, 0);
        code.CopyTo(file.AsSpan(CodeOffset));
        return file;
    }
}
