using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// Keeps a descriptor open for as long as some process lives, and lets anybody who may end that earlier: it lies, sent and never
/// received, in the queue of a socket that the process inherits. So it is none of the process's own descriptors, whoever finds
/// the socket can have a copy, and receiving the message for good lets the descriptor go.
/// </summary>
internal sealed unsafe class HeldInput : IDisposable
{
    private HeldInput(SafeFileHandle socket, SafeFileHandle sender)
    {
        Socket = socket;
        Sender = sender;
        ErrnoException.ThrowIfFailed(Libc.StatFd((int)socket.DangerousGetHandle(), out Libc.Statx stat), "statx");
        Inode = stat.Inode;
    }

    /// <summary>What the process inherits.</summary>
    internal SafeFileHandle Socket { get; }

    /// <summary>Takes the message; to be closed once it is sent.</summary>
    internal SafeFileHandle Sender { get; }

    /// <summary>By this the socket is found again among the descriptors of a process.</summary>
    internal ulong Inode { get; }

    /// <summary>Makes one that holds nothing yet.</summary>
    internal static HeldInput Make()
    {
        int* ends = stackalloc int[2];
        ErrnoException.ThrowIfFailed(Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0, ends), "socketpair");
        return new HeldInput(new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
    }

    /// <summary>Makes one that holds a copy of a descriptor.</summary>
    internal static HeldInput Of(SafeFileHandle descriptor)
    {
        HeldInput held = Make();
        try
        {
            byte content = 0;
            Libc.Part part = new() { Start = (nint)(&content), Length = 1 };
            Libc.DescriptorControl control = Libc.DescriptorControl.Of((int)descriptor.DangerousGetHandle());
            Libc.Message message = new() { Parts = (nint)(&part), PartCount = 1, Control = (nint)(&control), ControlLength = sizeof(Libc.DescriptorControl) };
            ErrnoException.ThrowIfFailed((int)Libc.sendmsg((int)held.Sender.DangerousGetHandle(), &message, 0), "sendmsg");
            held.Sender.Dispose();
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Appends to a plan the sending of a descriptor of the child.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="name">Name of the step.</param>
    /// <param name="sender">Number of <see cref="Sender"/> in the child.</param>
    /// <param name="descriptor">Number of the descriptor there, which must be known now.</param>
    internal static void Send(LaunchPlan plan, string name, int sender, int descriptor)
    {
        Libc.Part part = new() { Start = plan.Bytes([0]), Length = 1 };
        Libc.DescriptorControl control = Libc.DescriptorControl.Of(descriptor);
        Libc.Message message = new()
        {
            Parts = plan.Bytes(AsBytes(ref part)),
            PartCount = 1,
            Control = plan.Bytes(AsBytes(ref control)),
            ControlLength = sizeof(Libc.DescriptorControl),
        };
        plan.Call(name, SystemCall.SendMsg, sender, plan.Bytes(AsBytes(ref message)), 0);
    }

    /// <summary>A copy of the socket with this inode from a process that inherited it; null if it has it no more.</summary>
    internal static SafeFileHandle? Find(SafeFileHandle pidfd, int pid, ulong inode) => PidFd.CopyDescriptor(
        pidfd, pid, link => link == string.Create(CultureInfo.InvariantCulture, $"socket:[{inode}]"), stat => stat.Inode == inode);

    /// <summary>A copy of what a socket holds; null if it holds nothing.</summary>
    internal static SafeFileHandle? Peek(SafeFileHandle socket)
    {
        byte content;
        Libc.Part part = new() { Start = (nint)(&content), Length = 1 };
        Libc.DescriptorControl control = default;
        Libc.Message message = new() { Parts = (nint)(&part), PartCount = 1, Control = (nint)(&control), ControlLength = sizeof(Libc.DescriptorControl) };
        nint length = Libc.recvmsg((int)socket.DangerousGetHandle(), &message, Libc.MSG_PEEK | Libc.MSG_DONTWAIT | Libc.MSG_CMSG_CLOEXEC);
        return length >= 0 && control.Type == Libc.SCM_RIGHTS && control.Length == 20 && control.Level == Libc.SOL_SOCKET
            ? new SafeFileHandle(control.Descriptor, ownsHandle: true)
            : null;
    }

    /// <summary>Whether a socket still holds something.</summary>
    internal static bool Holds(SafeFileHandle socket)
    {
        byte content;
        return Libc.recv((int)socket.DangerousGetHandle(), &content, 1, Libc.MSG_PEEK | Libc.MSG_DONTWAIT) >= 0;
    }

    /// <summary>Lets go of what a socket holds. Does nothing the second time.</summary>
    internal static void Release(SafeFileHandle socket)
    {
        // Without room for descriptors the kernel drops those of the message.
        byte content;
        _ = Libc.recv((int)socket.DangerousGetHandle(), &content, 1, Libc.MSG_DONTWAIT);
    }

    public void Dispose()
    {
        Socket.Dispose();
        Sender.Dispose();
    }

    private static ReadOnlySpan<byte> AsBytes<T>(ref T value)
        where T : unmanaged => MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref value, 1));
}
