using System.Runtime.InteropServices;

namespace Appc.Linux;

/// <summary>The number of somebody else's descriptor, which stays open meanwhile.</summary>
internal sealed class HeldDescriptor : IDisposable
{
    private readonly SafeHandle _handle;
    private readonly bool _held;

    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    internal HeldDescriptor(SafeHandle handle)
    {
        _handle = handle;
        handle.DangerousAddRef(ref _held);
    }

    /// <summary>Holds a descriptor; null if it is closed.</summary>
    internal static HeldDescriptor? TryTake(SafeHandle handle)
    {
        try
        {
            return new HeldDescriptor(handle);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    internal int Number => (int)_handle.DangerousGetHandle();

    public void Dispose()
    {
        if (_held)
        {
            _handle.DangerousRelease();
        }
    }
}
