using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// One direction of a pipe or a terminal as a stream. Nothing waits on a thread: a descriptor that is not ready is
/// left to an <see cref="EpollLoop"/>. One reader or writer at a time.
/// </summary>
internal sealed class DescriptorStream : Stream
{
    private const int InputOutputError = 5;

    private readonly SafeFileHandle _handle;
    private readonly EpollLoop _loop;
    private readonly bool _writes;

    /// <summary>Takes a descriptor over, which no other process reads from or writes to by the same description.</summary>
    internal DescriptorStream(SafeFileHandle handle, EpollLoop loop, bool writes)
    {
        _handle = handle;
        _loop = loop;
        _writes = writes;
        int number = (int)handle.DangerousGetHandle();
        int flags = Libc.fcntl(number, Libc.F_GETFL, 0);
        ErrnoException.ThrowIfFailed(Libc.fcntl(number, Libc.F_SETFL, flags | LibC.O_NONBLOCK), "fcntl");
    }

    public override bool CanRead => !_writes;

    public override bool CanWrite => _writes;

    public override bool CanSeek => false;

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
            int length = TryRead(buffer.Span);
            if (length >= 0)
            {
                return length;
            }

            await WaitAsync((uint)LibC.EPOLLIN, cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = TryWrite(buffer.Span);
            if (length >= 0)
            {
                buffer = buffer[length..];
                continue;
            }

            await WaitAsync((uint)LibC.EPOLLOUT, cancellationToken).ConfigureAwait(false);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _handle.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Waits until there is something to read, or the end.</summary>
    internal Task WaitUntilReadableAsync(CancellationToken cancellationToken) => WaitAsync((uint)LibC.EPOLLIN, cancellationToken);

    /// <summary>The number of bytes, 0 at the end; -1 if there is nothing yet.</summary>
    internal unsafe int TryRead(Span<byte> buffer)
    {
        using HeldDescriptor hold = new(_handle);
        fixed (byte* p = buffer)
        {
            while (true)
            {
                nint length = Libc.read(hold.Number, p, (nuint)buffer.Length);
                if (length >= 0)
                {
                    return (int)length;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        return -1;
                    case InputOutputError:
                        // What a terminal says when nobody has its other side open any more.
                        return 0;
                    default:
                        throw new ErrnoException("read", Marshal.GetLastPInvokeError());
                }
            }
        }
    }

    private unsafe int TryWrite(ReadOnlySpan<byte> buffer)
    {
        using HeldDescriptor hold = new(_handle);
        fixed (byte* p = buffer)
        {
            while (true)
            {
                nint length = Libc.write(hold.Number, p, (nuint)buffer.Length);
                if (length >= 0)
                {
                    return (int)length;
                }

                int errno = Marshal.GetLastPInvokeError();
                if (errno == Errno.EAGAIN)
                {
                    return -1;
                }

                if (errno != Errno.EINTR)
                {
                    throw new IOException($"cannot write to the program: {Errno.Describe(errno)}");
                }
            }
        }
    }

    private async Task WaitAsync(uint events, CancellationToken cancellationToken)
    {
        // The descriptor stays open for as long as the loop knows it, whoever disposes the stream meanwhile.
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using HeldDescriptor hold = new(_handle);
        ulong key = _loop.Add(_handle, events, ready.SetResult);
        await using (cancellationToken.UnsafeRegister(
            _ =>
            {
                if (_loop.Remove(key))
                {
                    ready.TrySetCanceled(cancellationToken);
                }
            },
            null).ConfigureAwait(false))
        {
            await ready.Task.ConfigureAwait(false);
        }
    }
}
