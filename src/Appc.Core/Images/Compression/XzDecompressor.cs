using Appc.Linux;

namespace Appc.Images.Compression;

/// <summary>xz, every stream of the file, by the system's liblzma; see <see cref="ManagedXzDecompressor"/> for where it is missing.</summary>
internal sealed unsafe class XzDecompressor : IDecompressor
{
    // xz -9 needs 65 MiB; a header that asks for more is refused.
    private const ulong MemoryLimit = 100UL << 20;

    private readonly ArchiveInput _input;
    private readonly byte[] _buffer = new byte[64 << 10];
    private Liblzma.Stream _stream;
    private int _start;
    private int _filled;
    private bool _done;
    private bool _disposed;

    public XzDecompressor(ArchiveInput input)
    {
        _input = input;
        fixed (Liblzma.Stream* stream = &_stream)
        {
            int result = Liblzma.lzma_stream_decoder(stream, MemoryLimit, Liblzma.Concatenated | Liblzma.TellUnsupportedCheck);
            if (result != Liblzma.Ok)
            {
                throw new ImageException(ImageFailure.BadArchive, $"liblzma cannot be set up (error {result})");
            }
        }
    }

    public string Name => "xz";

    public int Read(Span<byte> buffer)
    {
        if (_done || buffer.IsEmpty)
        {
            return 0;
        }

        fixed (byte* input = _buffer)
        fixed (byte* output = buffer)
        fixed (Liblzma.Stream* stream = &_stream)
        {
            stream->NextOut = output;
            stream->AvailableOut = (nuint)buffer.Length;
            while (stream->AvailableOut == (nuint)buffer.Length)
            {
                if (_start == _filled)
                {
                    _start = 0;
                    _filled = _input.Read(_buffer);
                }

                stream->NextIn = input + _start;
                stream->AvailableIn = (nuint)(_filled - _start);
                int result = Liblzma.lzma_code(stream, _filled == 0 ? Liblzma.Finish : Liblzma.Run);
                _start = _filled - (int)stream->AvailableIn;
                if (result == Liblzma.StreamEnd)
                {
                    _done = true;
                    break;
                }

                if (result != Liblzma.Ok)
                {
                    throw result switch
                    {
                        Liblzma.MemoryLimitError => XzFaults.Memory(),
                        Liblzma.UnsupportedCheck => XzFaults.Check(),
                        _ => XzFaults.Damaged(),
                    };
                }
            }

            return buffer.Length - (int)stream->AvailableOut;
        }
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            fixed (Liblzma.Stream* stream = &_stream)
            {
                Liblzma.lzma_end(stream);
            }
        }
    }
}
