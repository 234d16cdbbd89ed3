using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Appc.Images.Compression;

/// <summary>The checksum that a stream has for each of its blocks: none, CRC-32, CRC-64 or SHA-256.</summary>
internal sealed class XzCheck : IDisposable
{
    private const int Crc32Kind = 1;
    private const int Crc64Kind = 4;
    private const int Sha256Kind = 10;

    private readonly int _kind;
    private readonly IncrementalHash? _hash;
    private uint _crc32;
    private ulong _crc64;

    public XzCheck(int kind)
    {
        _kind = kind;
        Size = kind switch
        {
            0 => 0,
            Crc32Kind => 4,
            Crc64Kind => 8,
            Sha256Kind => SHA256.HashSizeInBytes,
            _ => throw XzFaults.Check(),
        };
        _hash = kind == Sha256Kind ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    }

    /// <summary>Bytes that it takes behind a block.</summary>
    public int Size { get; }

    public void Append(ReadOnlySpan<byte> data)
    {
        switch (_kind)
        {
            case Crc32Kind:
                _crc32 = Crc32.Append(_crc32, data);
                break;
            case Crc64Kind:
                _crc64 = Crc64.Append(_crc64, data);
                break;
            default:
                _hash?.AppendData(data);
                break;
        }
    }

    /// <summary>Ends a block: reads what the file says, and begins anew.</summary>
    public void Verify(XzInput input)
    {
        Span<byte> expected = stackalloc byte[Size];
        Span<byte> actual = stackalloc byte[Size];
        input.Take(expected);
        switch (_kind)
        {
            case Crc32Kind:
                BinaryPrimitives.WriteUInt32LittleEndian(actual, _crc32);
                break;
            case Crc64Kind:
                BinaryPrimitives.WriteUInt64LittleEndian(actual, _crc64);
                break;
            default:
                _hash?.GetHashAndReset(actual);
                break;
        }

        _crc32 = 0;
        _crc64 = 0;
        if (!actual.SequenceEqual(expected))
        {
            throw XzFaults.Damaged();
        }
    }

    public void Dispose() => _hash?.Dispose();
}
