using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using Appc.Images.Compression;
using ICSharpCode.SharpZipLib.BZip2;

namespace Appc.Images.Building;

/// <summary>Takes the tar stream: hashes it for the image's id and compresses it.</summary>
internal sealed class ArchiveOutput : Stream
{
    // No time, no name, system "unknown": nothing of the machine goes into the file.
    private static readonly byte[] GzipHeaderBytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
    private readonly Stream _file;
    private readonly Stream _inner;
    private readonly bool _gzip;
    private uint _crc;
    private uint _length;

    public ArchiveOutput(Stream file, ArchiveCompression compression)
    {
        _file = new BufferedStream(file, 256 << 10);
        _gzip = compression == ArchiveCompression.Gzip;
        if (_gzip)
        {
            _file.Write(GzipHeaderBytes);
        }

        _inner = compression switch
        {
            ArchiveCompression.Gzip => new DeflateStream(_file, CompressionLevel.Optimal, leaveOpen: true),
            ArchiveCompression.Bzip2 => new BZip2OutputStream(_file, 9) { IsStreamOwner = false },
            _ => _file,
        };
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _hash.AppendData(buffer);
        if (_gzip)
        {
            _crc = Crc32.Append(_crc, buffer);
            _length = unchecked(_length + (uint)buffer.Length);
        }

        _inner.Write(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Ends the archive; returns the SHA-512 of the tar stream. Does not close the file.</summary>
    public byte[] Complete()
    {
        if (_inner != _file)
        {
            _inner.Dispose();
        }

        if (_gzip)
        {
            Span<byte> trailer = stackalloc byte[8];
            BinaryPrimitives.WriteUInt32LittleEndian(trailer, _crc);
            BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], _length);
            _file.Write(trailer);
        }

        _file.Flush();
        return _hash.GetHashAndReset();
    }

    public override void Flush() => _inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }
}
