using Appc.Linux;

namespace Appc.Pods;

/// <summary>What an app writes to one of its log files, while it writes, until it has ended. One reader at a time.</summary>
internal sealed class AppOutputStream : Stream
{
    private readonly FileStream? _file;
    private readonly AppWatch _watch;

    /// <param name="file">The log file; a missing one is empty, as where apps write to the journal.</param>
    /// <param name="watch">The app.</param>
    public AppOutputStream(FileStream? file, AppWatch watch)
    {
        _file = file;
        _watch = watch;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();

            // All three in this order: what comes after the first look is told by one of the other two.
            bool ended = _watch.Ended.IsCompleted;
            Task change = _watch.NextChange();
            SkipFreed();
            int length = _file is null ? 0 : await _file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (length > 0 || buffer.Length == 0)
            {
                return length;
            }

            if (ended)
            {
                return 0;
            }

            await change.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>What the limit of the logs has freed would be read as zeros.</summary>
    private void SkipFreed()
    {
        if (_file is not null && SparseFile.NextData(_file.SafeFileHandle, _file.Position) is var data && data > _file.Position)
        {
            _file.Position = data;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file?.Dispose();
        }

        base.Dispose(disposing);
    }
}
