using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Appc.Images;

/// <summary>A path as 128 bits of its hash: what is remembered of a name does not grow with its length.</summary>
internal static class PathKey
{
    public static UInt128 Of(ReadOnlySpan<byte> path)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(path, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
