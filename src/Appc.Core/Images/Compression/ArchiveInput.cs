namespace Appc.Images.Compression;

/// <summary>
/// A file's bytes through one large buffer, with a position that can be set back: the decompressors of the platform
/// read ahead of the member that they decode.
/// </summary>
internal sealed class ArchiveInput : Stream
{
    private readonly Stream _inner;
    private readonly byte[] _buffer;
    private long _bufferStart;
    private int _filled;
    private int _next;

    /// <summary>Reads a seekable stream from where it stands; does not close it.</summary>
    public ArchiveInput(Stream inner, int bufferBytes = 256 << 10)
    {
        _buffer = new byte[bufferBytes];
        _inner = inner;
        _bufferStart = inner.Position;
    }

    /// <summary>Whether a read has found the end.</summary>
    public bool ReachedEnd { get; private set; }

    /// <summary>Where the block began that was handed out last.</summary>
    public long LastReadStart { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => _inner.Length;

    public override long Position
    {
        get => _bufferStart + _next;
        set => Seek(value, SeekOrigin.Begin);
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        LastReadStart = Position;
        if (_next == _filled)
        {
            Fill();
        }

        int length = Math.Min(buffer.Length, _filled - _next);
        _buffer.AsSpan(_next, length).CopyTo(buffer);
        _next += length;
        ReachedEnd |= length == 0;
        return length;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int ReadByte()
    {
        if (_next == _filled)
        {
            Fill();
        }

        if (_filled == 0)
        {
            ReachedEnd = true;
            return -1;
        }

        return _buffer[_next++];
    }

    /// <summary>The next bytes without moving on; fewer only at the end.</summary>
    public int Peek(Span<byte> buffer)
    {
        long position = Position;
        int length = this.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        Position = position;
        return length;
    }

    public override long Seek(long offset, SeekOrigin origin)
    {
        long target = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            _ => Length + offset,
        };
        if (target >= _bufferStart && target <= _bufferStart + _filled)
        {
            _next = (int)(target - _bufferStart);
        }
        else
        {
            _inner.Position = target;
            _bufferStart = target;
            _filled = 0;
            _next = 0;
        }

        ReachedEnd = false;
        return target;
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Fill()
    {
        _bufferStart += _filled;
        _next = 0;
        _filled = _inner.Read(_buffer);
    }
}
