using System.Buffers.Binary;
using System.IO.Compression;

namespace Appc.Images.Compression;

/// <summary>
/// gzip, every member, with header, checksum and length checked. The platform's own GZipStream takes a file that is
/// cut off for a whole one, so only its inflater is used here.
/// </summary>
internal sealed class GzipDecompressor : IDecompressor
{
    private const int TrailerBytes = 8;

    private readonly ArchiveInput _input;
    private DeflateStream? _member;
    private uint _crc;
    private uint _length;

    public GzipDecompressor(ArchiveInput input)
    {
        _input = input;
        BeginMember();
    }

    public string Name => "gzip";

    public int Read(Span<byte> buffer)
    {
        while (_member is not null)
        {
            int length;
            try
            {
                length = _member.Read(buffer);
            }
            catch (InvalidDataException e)
            {
                throw new ImageException(ImageFailure.BadArchive, "its gzip data is damaged", innerException: e);
            }

            if (length > 0)
            {
                _crc = Crc32.Append(_crc, buffer[..length]);
                _length = unchecked(_length + (uint)length);
                return length;
            }

            EndMember();
        }

        return 0;
    }

    public void Dispose() => _member?.Dispose();

    private void BeginMember()
    {
        GzipHeader.Read(_input);
        _crc = 0;
        _length = 0;
        _member = new DeflateStream(_input, CompressionMode.Decompress, leaveOpen: true);
    }

    private void EndMember()
    {
        _member!.Dispose();
        _member = null;

        // The inflater asks for more only while its stream is not complete: meeting the end means that it never was.
        if (_input.ReachedEnd)
        {
            throw Cut();
        }

        FindTrailer();
        Span<byte> next = stackalloc byte[2];
        int length = _input.Peek(next);
        if (length == 2 && next[0] == 0x1f && next[1] == 0x8b)
        {
            BeginMember();
        }
        else if (length > 0)
        {
            CheckPadding();
        }
    }

    /// <summary>
    /// The inflater does not say how much of its last block of input it used. The member ends inside that block, and
    /// the eight bytes after it are known: checksum and length of what came out. So they are looked for; a file
    /// without them there is damaged.
    /// </summary>
    private void FindTrailer()
    {
        Span<byte> trailer = stackalloc byte[TrailerBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _crc);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], _length);
        long start = _input.LastReadStart;
        long end = _input.Position;
        _input.Position = start;
        byte[] block = new byte[end - start + TrailerBytes];
        int length = _input.ReadAtLeast(block, block.Length, throwOnEndOfStream: false);
        int at = block.AsSpan(0, length).IndexOf(trailer);
        if (at < 0)
        {
            throw length < TrailerBytes
                ? Cut()
                : new ImageException(ImageFailure.BadArchive, "its gzip checksum or length is wrong, or the end is missing");
        }

        _input.Position = start + at + TrailerBytes;
    }

    private void CheckPadding()
    {
        Span<byte> buffer = stackalloc byte[512];
        int length;
        while ((length = _input.Read(buffer)) > 0)
        {
            if (buffer[..length].IndexOfAnyExcept((byte)0) >= 0)
            {
                throw new ImageException(ImageFailure.BadArchive, "bytes follow its gzip data that are no gzip data");
            }
        }
    }

    private static ImageException Cut() => new(ImageFailure.BadArchive, "its gzip data is cut off", "the file is not complete: fetch it again");
}
