using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.BZip2;

namespace Appc.Images.Compression;

/// <summary>bzip2, every stream of the file.</summary>
internal sealed class Bzip2Decompressor : IDecompressor
{
    private readonly ArchiveInput _input;
    private BZip2InputStream? _stream;

    public Bzip2Decompressor(ArchiveInput input)
    {
        _input = input;
        Guard(() => _stream = Begin());
    }

    public string Name => "bzip2";

    public int Read(Span<byte> buffer)
    {
        byte[] bytes = System.Buffers.ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            while (_stream is not null)
            {
                int length = 0;
                Guard(() => length = _stream!.Read(bytes, 0, bytes.Length));
                if (length > 0)
                {
                    length = Math.Min(length, buffer.Length);
                    bytes.AsSpan(0, length).CopyTo(buffer);
                    return length;
                }

                Guard(Next);
            }

            return 0;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    public void Dispose() => _stream?.Dispose();

    private BZip2InputStream Begin() => new(_input) { IsStreamOwner = false };

    // The decoder takes whole bytes one at a time, so the input stands at the next stream.
    private void Next()
    {
        _stream!.Dispose();
        _stream = null;
        Span<byte> next = stackalloc byte[3];
        int length = _input.Peek(next);
        if (length > 0)
        {
            _stream = next[..length].SequenceEqual("BZh"u8)
                ? Begin()
                : throw new ImageException(ImageFailure.BadArchive, "bytes follow its bzip2 data that are no bzip2 data");
        }
    }

    // The decoder meets damaged data with various exceptions, some of them from indexing its own tables.
    private static void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is SharpZipBaseException or IndexOutOfRangeException or ArgumentException or NullReferenceException or EndOfStreamException or InvalidOperationException)
        {
            throw new ImageException(ImageFailure.BadArchive, "its bzip2 data is damaged or cut off", innerException: e);
        }
    }
}
