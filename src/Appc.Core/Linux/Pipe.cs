using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Both ends of a pipe, close-on-exec. Ends that nobody has taken are closed when it is disposed.</summary>
internal sealed unsafe class Pipe : IDisposable
{
    private bool _readerTaken;
    private bool _writerTaken;

    private Pipe(int reader, int writer)
    {
        Reader = new SafeFileHandle(reader, ownsHandle: true);
        Writer = new SafeFileHandle(writer, ownsHandle: true);
    }

    internal SafeFileHandle Reader { get; }

    internal SafeFileHandle Writer { get; }

    internal static Pipe Make(int flags = 0)
    {
        int* ends = stackalloc int[2];
        ErrnoException.ThrowIfFailed(Libc.pipe2(ends, LibC.O_CLOEXEC | flags), "pipe2");
        return new Pipe(ends[0], ends[1]);
    }

    internal SafeFileHandle TakeReader()
    {
        _readerTaken = true;
        return Reader;
    }

    internal SafeFileHandle TakeWriter()
    {
        _writerTaken = true;
        return Writer;
    }

    public void Dispose()
    {
        if (!_readerTaken)
        {
            Reader.Dispose();
        }

        if (!_writerTaken)
        {
            Writer.Dispose();
        }
    }
}
