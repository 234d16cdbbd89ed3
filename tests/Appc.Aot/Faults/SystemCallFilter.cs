using System.Runtime.InteropServices;

namespace Appc.Aot.Faults;

/// <summary>
/// A seccomp filter that stops this process, all its threads, at every call of <see cref="SystemCallEntry.All"/> until
/// the holder of the filter's listener has answered. It stays until the process ends.
/// </summary>
internal static unsafe partial class SystemCallFilter
{
    private const ulong Clone = 0x40049409;

    /// <summary>Installs it. The listener is a descriptor of this process, which nothing here uses.</summary>
    public static void Install()
    {
        List<Instruction> program = [new(0x20, 0, 0, 0)];
        int[] numbers = [.. SystemCallEntry.All.Select(c => c.Number).Where(n => n != SystemCallEntry.None)];
        int ioctlNumber = SystemCallEntry.All.First(c => c.Name == "ioctl FICLONE").Number;
        foreach (int number in numbers.Where(n => n != ioctlNumber))
        {
            program.Add(new(0x15, 0, 1, (uint)number));
            program.Add(new(0x06, 0, 0, 0x7fc00000));
        }

        // Of the many ioctls only the one.
        program.Add(new(0x15, 0, 3, (uint)ioctlNumber));
        program.Add(new(0x20, 0, 0, 24));
        program.Add(new(0x15, 0, 1, (uint)Clone));
        program.Add(new(0x06, 0, 0, 0x7fc00000));
        program.Add(new(0x06, 0, 0, 0x7fff0000));

        const int PR_SET_NO_NEW_PRIVS = 38;
        _ = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        Instruction[] code = [.. program];
        fixed (Instruction* p = code)
        {
            FilterProgram filter = new() { Length = (ushort)code.Length, Code = p };
            nint number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 317 : 277;

            // New listener, all threads; the second time without what only newer kernels have: that signals do not interrupt a call that waits here.
            foreach (uint flags in (uint[])[0x8 | 0x1 | 0x10 | 0x20, 0x8 | 0x1 | 0x10])
            {
                if (syscall(number, 1, (nint)flags, (nint)(&filter)) >= 0)
                {
                    return;
                }
            }
        }

        throw new InvalidOperationException($"seccomp: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte True, byte False, uint Value);

    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public Instruction* Code;
    }

    [LibraryImport("libc")]
    private static partial int prctl(int option, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);
}
