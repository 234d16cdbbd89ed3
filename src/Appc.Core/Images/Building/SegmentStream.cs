using Appc.Images.Tar;

namespace Appc.Images.Building;

/// <summary>A file's content out of a larger file: its stored bytes, with zeros where the file has holes.</summary>
/// <param name="file">Holds the stored bytes; not closed.</param>
/// <param name="start">Where they begin.</param>
/// <param name="segments">Where they go, in order.</param>
/// <param name="length">Length of the content.</param>
internal sealed class SegmentStream(FileStream file, long start, IReadOnlyList<TarSegment> segments, long length) : Stream
{
    private int _segment;
    private long _stored;
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        while (_segment < segments.Count && _position >= segments[_segment].Offset + segments[_segment].Length)
        {
            _segment++;
        }

        TarSegment next = _segment < segments.Count ? segments[_segment] : new TarSegment(length, 0);
        if (_position < next.Offset)
        {
            int zeros = (int)Math.Min(buffer.Length, next.Offset - _position);
            buffer[..zeros].Clear();
            _position += zeros;
            return zeros;
        }

        int most = (int)Math.Min(buffer.Length, next.Offset + next.Length - _position);
        int read = RandomAccess.Read(file.SafeFileHandle, buffer[..most], start + _stored);
        _stored += read;
        _position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
