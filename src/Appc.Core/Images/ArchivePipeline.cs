using System.Security.Cryptography;
using Appc.Images.Compression;
using Appc.Images.Tar;

namespace Appc.Images;

/// <summary>
/// Decompresses and hashes on two threads of its own while the caller's thread reads: blocks from a small pool go
/// from one to the next, so that memory stays the same whatever the archive's size.
/// </summary>
internal sealed class ArchivePipeline : IByteSource, IDisposable
{
    private const int BlockBytes = 256 << 10;
    private const int Blocks = 12;
    private const long RatioFreeBytes = 16 << 20;

    private readonly object _lock = new();
    private readonly Queue<byte[]> _free = new();
    private readonly Queue<Block> _toHash = new();
    private readonly Queue<Block> _toRead = new();
    private readonly ArchiveInput _input;
    private readonly ArchiveLimits _limits;
    private readonly Action<long>? _progress;
    private readonly CancellationTokenRegistration _cancellation;
    private readonly Thread[] _threads;
    private readonly long _start;
    private Exception? _fault;
    private byte[]? _lent;
    private int _made;
    private bool _disposed;

    /// <summary>Starts on a stream that it reads from where it stands to the end, and does not close.</summary>
    /// <param name="archive">The archive as it lies on disk.</param>
    /// <param name="limits">Bounds on the uncompressed bytes and the ratio.</param>
    /// <param name="progress">Told the number of compressed bytes taken, from a thread of the pipeline.</param>
    /// <param name="cancellationToken">Ends the pipeline.</param>
    public ArchivePipeline(Stream archive, ArchiveLimits limits, Action<long>? progress, CancellationToken cancellationToken)
    {
        _input = new ArchiveInput(archive);
        _start = _input.Position;
        _limits = limits;
        _progress = progress;
        _cancellation = cancellationToken.Register(() => Fail(new OperationCanceledException(cancellationToken)));
        _threads = [DedicatedThread.Start("appc decompress", Decompress), DedicatedThread.Start("appc hash", Hash)];
    }

    /// <summary>none, gzip, bzip2, xz or zstd; set once the first block was handed out.</summary>
    public string Compression { get; private set; } = "none";

    /// <summary>SHA-512 of all uncompressed bytes; set once <see cref="Next"/> has reported the end.</summary>
    public byte[]? Digest { get; private set; }

    /// <summary>Uncompressed bytes so far.</summary>
    public long ExpandedBytes { get; private set; }

    /// <summary>Whether this is what ended the pipeline, and not what its reader found.</summary>
    public bool IsOwnFault(Exception exception)
    {
        lock (_lock)
        {
            return ReferenceEquals(exception, _fault);
        }
    }

    public ReadOnlyMemory<byte> Next()
    {
        lock (_lock)
        {
            if (_lent is not null)
            {
                _free.Enqueue(_lent);
                _lent = null;
                Monitor.PulseAll(_lock);
            }

            Block block = Take(_toRead);
            if (block.Length == 0)
            {
                // Stays at the end for whoever asks again.
                _toRead.Enqueue(block);
                return default;
            }

            _lent = block.Bytes;
            return block.Bytes.AsMemory(0, block.Length);
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _cancellation.Dispose();
        Fail(new ObjectDisposedException(nameof(ArchivePipeline)));
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        _input.Dispose();
    }

    private void Decompress() => Guard(() =>
    {
        using IDecompressor decompressor = Decompressor.Open(_input, _limits);
        Compression = decompressor.Name;
        long expanded = 0;
        int length;
        do
        {
            byte[] bytes = TakeFree();
            length = 0;
            int read;
            while (length < bytes.Length && (read = decompressor.Read(bytes.AsSpan(length))) > 0)
            {
                length += read;
            }

            expanded += length;
            CheckLimits(expanded);
            _progress?.Invoke(_input.Position - _start);
            Put(_toHash, new Block(bytes, length));
        }
        while (length > 0);
    });

    private void Hash() => Guard(() =>
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        while (true)
        {
            Block block;
            lock (_lock)
            {
                block = Take(_toHash);
            }

            hash.AppendData(block.Bytes, 0, block.Length);
            ExpandedBytes += block.Length;
            if (block.Length == 0)
            {
                Digest = hash.GetHashAndReset();
            }

            Put(_toRead, block);
            if (block.Length == 0)
            {
                return;
            }
        }
    });

    private void CheckLimits(long expanded)
    {
        if (expanded > _limits.ExpandedBytes)
        {
            throw new ImageException(
                ImageFailure.LimitExceeded, $"it expands to more than {_limits.ExpandedBytes} bytes", "raise the limit for this call if you trust the image");
        }

        long compressed = Math.Max(1, _input.Position - _start);
        if (expanded > RatioFreeBytes && expanded / compressed > _limits.Ratio)
        {
            throw new ImageException(
                ImageFailure.LimitExceeded,
                $"it expands to more than {_limits.Ratio} times its size",
                "raise the limit for this call if you trust the image");
        }
    }

    private byte[] TakeFree()
    {
        lock (_lock)
        {
            if (_free.Count == 0 && _made < Blocks)
            {
                _made++;
                return GC.AllocateUninitializedArray<byte>(BlockBytes);
            }

            return Take(_free);
        }
    }

    private void Put(Queue<Block> queue, Block block)
    {
        lock (_lock)
        {
            queue.Enqueue(block);
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits for an item; to be called under the lock. What failed anywhere is thrown everywhere.</summary>
    private T Take<T>(Queue<T> queue)
    {
        while (true)
        {
            if (_fault is not null)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_fault);
            }

            if (queue.TryDequeue(out T? item))
            {
                return item;
            }

            Monitor.Wait(_lock);
        }
    }

    private void Fail(Exception fault)
    {
        lock (_lock)
        {
            _fault ??= fault;
            Monitor.PulseAll(_lock);
        }
    }

    private void Guard(Action work)
    {
        try
        {
            work();
        }
#pragma warning disable CA1031 // Handed to the reading thread, which throws it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(e);
        }
    }

    private readonly record struct Block(byte[] Bytes, int Length);
}
