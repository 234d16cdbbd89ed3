using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Mount namespaces of processes.</summary>
internal static unsafe class MountNamespace
{
    /// <summary>
    /// Holds the mount namespace of a child that has not been reaped: what is mounted in it stays until the descriptor
    /// is closed. Null if it cannot be held: the child has ended, or may not be looked into, or descriptors are short.
    /// </summary>
    internal static SafeFileHandle? TryHold(int pid)
    {
        fixed (byte* path = Fd.PathBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/mnt")))
        {
            int descriptor = LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC);
            return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
        }
    }
}
