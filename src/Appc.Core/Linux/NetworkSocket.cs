using System.Net.Sockets;
using Appc.Stage1;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Makes sockets in the network namespace of another process.</summary>
internal static class NetworkSocket
{
    private const ulong SharedDescriptors = 0x400; // CLONE_FILES

    /// <summary>
    /// Makes a stream socket. A socket belongs to the namespace that it was made in for as long as it lives, so no thread
    /// of this process has to go there: a child that shares the table of descriptors does, and ends.
    /// </summary>
    /// <param name="process">A process in the namespace.</param>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="subject">Whose network it is, for messages.</param>
    /// <exception cref="LaunchException">The process has ended, or the kernel refuses.</exception>
    internal static unsafe Socket Open(SafeFileHandle process, AddressFamily family, string subject)
    {
        using HeldDescriptor held = new(process);
        using LaunchPlan plan = new(subject, SharedDescriptors);
        plan.Call("enter the network of the pod", SystemCall.SetNs, held.Number, LibC.CLONE_NEWNET);
        LaunchArgument made = plan.Call(
            "make a socket", SystemCall.Socket, family == AddressFamily.InterNetworkV6 ? Libc.AF_INET6 : Libc.AF_INET, Libc.SOCK_STREAM | LibC.SOCK_CLOEXEC);
        LaunchPlan.Reap(plan.StartEnded().PidFd);
        return new Socket(new SafeSocketHandle(*made.Cell, ownsHandle: true));
    }
}
