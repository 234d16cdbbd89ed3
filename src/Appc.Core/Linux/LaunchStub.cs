using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// The one piece of code that a freshly cloned child runs until it becomes the program: a loop over prepared
/// system calls, some fifty machine instructions.
/// </summary>
/// <remarks>
/// Managed code cannot run in a child: the garbage collector, the JIT and the locks of libc belong to threads that
/// the child does not have, and a thread of the host that enters namespaces itself poisons the host when anything
/// managed runs on it. The child therefore runs nothing of the kind. It shares the parent's memory, as with vfork,
/// the parent's thread waits meanwhile, and no thread of the host ever changes its own namespaces, root,
/// identity or filters.
/// </remarks>
internal static unsafe partial class LaunchStub
{
    // Publication only: a failure for want of descriptors today must not be remembered for ever.
    private static readonly Lazy<nint> Entry = new(Map, LazyThreadSafetyMode.PublicationOnly);

    /// <summary>What the stub reads and writes. The order is known to the machine code.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Header
    {
        internal CloneArguments* Clone;
        internal nint CloneSize;

        /// <summary>The first step; after a failure the step that failed.</summary>
        internal Step* Step;
        internal Step* End;

        /// <summary>0, or the error number of the step that failed.</summary>
        internal nint Errno;
        internal ulong AllSignals;
        internal ulong SavedSignals;

        /// <summary>Of a program only, with the field before: the steps with which the parent goes on after it has made a child.</summary>
        internal Step* ParentEnd;
    }

    /// <summary>One system call. The order is known to the machine code.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Step
    {
        internal nint Number;
        internal nint* Argument0;
        internal nint* Argument1;
        internal nint* Argument2;
        internal nint* Argument3;
        internal nint* Argument4;
        internal nint* Argument5;
        internal nint* Result;

        /// <summary>An error number that is no failure; 0 for none, -1 for every one.</summary>
        internal nint Tolerated;
    }

    /// <summary>struct clone_args of clone3(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct CloneArguments
    {
        internal ulong Flags;
        internal ulong PidFd;
        internal ulong ChildTid;
        internal ulong ParentTid;
        internal ulong ExitSignal;
        internal ulong Stack;
        internal ulong StackSize;
        internal ulong Tls;
        internal ulong SetTid;
        internal ulong SetTidSize;
        internal ulong CGroup;
    }

    /// <summary>Clones, runs the steps in the child, and returns the child's id or a negated error number.</summary>
    internal static nint Run(Header* plan) => ((delegate* unmanaged<Header*, nint>)Entry.Value)(plan);

    private static nint Map()
    {
        ReadOnlySpan<byte> code = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => X64,
            Architecture.Arm64 => Arm64,
            var other => throw new PlatformNotSupportedException($"pods cannot be launched on {other}: only x64 and arm64 are known"),
        };

        // A memory file mapped read and execute: at no time is a page both writable and executable.
        fixed (byte* name = "appc-launch\0"u8)
        {
            using SafeFileHandle file = new(LibC.memfd_create(name, LibC.MFD_CLOEXEC), ownsHandle: true);
            if (file.IsInvalid)
            {
                throw Failure("memfd_create", LibC.errno);
            }

            RandomAccess.Write(file, code, 0);
            void* entry = LibC.mmap(null, code.Length, LibC.PROT_READ | LibC.PROT_EXEC, LibC.MAP_PRIVATE, (int)file.DangerousGetHandle(), 0);
            return (nint)entry != -1 ? (nint)entry : throw Failure("mmap", LibC.errno);
        }
    }

    private static Stage1.LaunchException Failure(string call, int errno) => new(
        "prepare the launcher",
        errno,
        $"no pod can be launched from this process: {call} of the launch code: {Marshal.GetPInvokeErrorMessage(errno)}",
        "The security policy of this process must allow executable memory files (vm.memfd_noexec below 2).");
}
