using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Appc.Images.Compression;

/// <summary>zstd (RFC 8878), every frame of the file, with the checksum of those that have one.</summary>
internal sealed class ZstdDecompressor : IDecompressor
{
    // What the zstd tool takes without being asked: 128 MiB. A frame that wants a longer window is refused.
    private const int WindowLogMax = 27;
    private const uint FrameMagic = 0xfd2fb528;
    private const uint SkippableMagic = 0x184d2a50;
    private const uint SkippableMask = 0xfffffff0;

    private readonly DecompressionStream _stream;

    public ZstdDecompressor(ArchiveInput input)
    {
        _stream = new DecompressionStream(input, bufferSize: 64 << 10, checkEndOfStream: true, leaveOpen: true);
        _stream.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, WindowLogMax);
    }

    public string Name => "zstd";

    /// <summary>Whether a file that begins so is one; a frame to be skipped may come first.</summary>
    public static bool IsFrame(ReadOnlySpan<byte> start) =>
        System.Buffers.Binary.BinaryPrimitives.TryReadUInt32LittleEndian(start, out uint magic)
        && (magic == FrameMagic || (magic & SkippableMask) == SkippableMagic);

    public int Read(Span<byte> buffer)
    {
        try
        {
            return _stream.Read(buffer);
        }
        catch (EndOfStreamException e)
        {
            throw new ImageException(ImageFailure.BadArchive, "its zstd data is cut off", "the file is not complete: fetch it again", e);
        }
        catch (ZstdException e)
        {
            throw e.Code switch
            {
                ZSTD_ErrorCode.ZSTD_error_frameParameter_windowTooLarge or ZSTD_ErrorCode.ZSTD_error_memory_allocation => new ImageException(
                    ImageFailure.LimitExceeded, "its zstd data needs more than 128 MiB of memory", "compress it without --long, or with --long=27 at most", e),
                ZSTD_ErrorCode.ZSTD_error_dictionary_wrong => new ImageException(
                    ImageFailure.BadArchive, "its zstd data needs a dictionary that is not in it", innerException: e),
                ZSTD_ErrorCode.ZSTD_error_checksum_wrong => new ImageException(ImageFailure.BadArchive, "its zstd checksum is wrong", innerException: e),
                _ => new ImageException(ImageFailure.BadArchive, "its zstd data is damaged, or followed by something else", innerException: e),
            };
        }
    }

    public void Dispose() => _stream.Dispose();
}
