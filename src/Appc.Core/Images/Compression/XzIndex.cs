using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Appc.Images.Compression;

/// <summary>
/// A stream's list of blocks, held against those that were read. Both lists are hashed as they come, so that memory
/// does not grow with the number of blocks.
/// </summary>
internal sealed class XzIndex : IDisposable
{
    private readonly IncrementalHash _seen = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private ulong _count;

    /// <summary>Remembers a block.</summary>
    public void Add(ulong unpadded, ulong uncompressed)
    {
        Append(_seen, unpadded, uncompressed);
        _count++;
    }

    /// <summary>Reads the list, after its first byte, and returns its size.</summary>
    public long Check(XzInput input)
    {
        using IncrementalHash listed = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (input.TakeNumber() != _count)
        {
            throw XzFaults.Damaged();
        }

        for (ulong i = 0; i < _count; i++)
        {
            ulong unpadded = input.TakeNumber();
            Append(listed, unpadded, input.TakeNumber());
        }

        input.TakePadding();
        input.TakeCrc();
        return _seen.GetHashAndReset().AsSpan().SequenceEqual(listed.GetHashAndReset()) ? input.Count : throw XzFaults.Damaged();
    }

    public void Dispose() => _seen.Dispose();

    private static void Append(IncrementalHash hash, ulong unpadded, ulong uncompressed)
    {
        Span<byte> record = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(record, unpadded);
        BinaryPrimitives.WriteUInt64LittleEndian(record[8..], uncompressed);
        hash.AppendData(record);
    }
}
