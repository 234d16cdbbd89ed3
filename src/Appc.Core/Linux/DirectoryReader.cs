using System.Buffers.Binary;

namespace Appc.Linux;

/// <summary>Lists directories by descriptor, with names as bytes.</summary>
internal static unsafe class DirectoryReader
{
    private const int BufferBytes = 64 << 10;
    private const int LengthOffset = 16;
    private const int TypeOffset = 18;
    private const int NameOffset = 19;

    /// <summary>d_type of a directory.</summary>
    public const byte TypeDirectory = 4;

    /// <summary>d_type where the file system does not tell.</summary>
    public const byte TypeUnknown = 0;

    /// <summary>Names (NUL-terminated) and types of what is in a directory, without <c>.</c> and <c>..</c>; from where the descriptor stands.</summary>
    public static List<(byte[] Name, byte Type)> Read(Fd directory)
    {
        List<(byte[], byte)> entries = [];
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            fixed (byte* p = buffer)
            {
                int length;
                while ((length = Libc.GetDents(directory.Number, p, BufferBytes)) > 0)
                {
                    for (int at = 0; at < length;)
                    {
                        int size = BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(at + LengthOffset));
                        ReadOnlySpan<byte> name = buffer.AsSpan((at + NameOffset)..(at + size));
                        name = name[..(name.IndexOf((byte)0) + 1)];
                        if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                        {
                            entries.Add((name.ToArray(), buffer[at + TypeOffset]));
                        }

                        at += size;
                    }
                }

                ErrnoException.ThrowIfFailed(length, "getdents64");
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }

        return entries;
    }
}
