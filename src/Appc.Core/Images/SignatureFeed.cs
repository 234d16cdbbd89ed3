using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Appc.Trust;

namespace Appc.Images;

/// <summary>Shows bytes to a signature check on a thread of its own, so that the next ones are read and copied meanwhile.</summary>
internal sealed class SignatureFeed : IDisposable
{
    private const int BlockBytes = 1 << 20;
    private const int Blocks = 4;

    private readonly ISignatureCheck _check;
    private readonly BlockingCollection<byte[]> _free = [];
    private readonly BlockingCollection<(byte[] Buffer, int Length)> _full = [];
    private readonly Thread _thread;
    private ExceptionDispatchInfo? _fault;
    private int _made;

    public SignatureFeed(ISignatureCheck check)
    {
        _check = check;
        _thread = DedicatedThread.Start("appc verify", Run);
    }

    /// <summary>A buffer to fill and hand to <see cref="Append"/>.</summary>
    public byte[] Rent()
    {
        if (_free.TryTake(out byte[]? free))
        {
            return free;
        }

        if (_made == Blocks)
        {
            return _free.Take();
        }

        _made++;
        return GC.AllocateUninitializedArray<byte>(BlockBytes);
    }

    /// <summary>Shows the first bytes of a rented buffer; the caller may still read them, not write.</summary>
    public void Append(byte[] buffer, int length) => _full.Add((buffer, length));

    /// <summary>Waits until all was shown.</summary>
    public void Finish()
    {
        _full.CompleteAdding();
        _thread.Join();
        _fault?.Throw();
    }

    public void Dispose()
    {
        _full.CompleteAdding();
        _thread.Join();
        _free.Dispose();
        _full.Dispose();
    }

    private void Run()
    {
        foreach ((byte[] buffer, int length) in _full.GetConsumingEnumerable())
        {
            try
            {
                if (_fault is null)
                {
                    _check.Append(buffer.AsMemory(0, length));
                }
            }
#pragma warning disable CA1031 // Thrown by Finish, on the thread that waits for the result.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _fault = ExceptionDispatchInfo.Capture(e);
            }

            _free.Add(buffer);
        }
    }
}
