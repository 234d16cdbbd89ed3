using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Namespaces of processes.</summary>
internal static unsafe class ProcessNamespace
{
    /// <summary>
    /// Holds a namespace of a child that has not been reaped: what is in it stays until the descriptor is closed. Null, and
    /// errno, if it cannot be held: the child has let go of it, or may not be looked into, or descriptors are short.
    /// </summary>
    /// <param name="pid">The child.</param>
    /// <param name="kind">Its name in <c>/proc/PID/ns</c>, such as <c>mnt</c>.</param>
    internal static SafeFileHandle? TryHold(int pid, string kind)
    {
        // Not File.OpenHandle: it takes the read locks of .NET's file sharing, which such a file does not have.
        fixed (byte* path = Fd.PathBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/{kind}")))
        {
            int descriptor = LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC);
            return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
        }
    }
}
