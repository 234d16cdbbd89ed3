using System.Reflection;
using System.Runtime.InteropServices;

namespace Appc.Linux;

/// <summary>The system's library for filters of system calls: wherever systemd-nspawn is, it is too.</summary>
internal static unsafe partial class Libseccomp
{
    public const uint Allow = 0x7fff0000;
    public const uint KillProcess = 0x80000000;
    public const int Less = 2;
    public const int Equal = 4;
    public const int Greater = 6;
    public const int MaskedEqual = 7;
    private const uint ErrnoAction = 0x00050000;
    private const string Library = "libseccomp.so.2";

    /// <summary>Whether the library is there.</summary>
    public static bool IsAvailable { get; } =
        NativeLibrary.TryLoad(Library, Assembly.GetExecutingAssembly(), DllImportSearchPath.SafeDirectories, out _);

    public static uint Error(int errno) => ErrnoAction | (uint)errno;

    /// <summary>struct scmp_arg_cmp.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Comparison
    {
        public uint Argument;
        public int Operator;
        public ulong First;
        public ulong Second;
    }

    [LibraryImport(Library)]
    public static partial nint seccomp_init(uint defaultAction);

    [LibraryImport(Library)]
    public static partial void seccomp_release(nint context);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int seccomp_syscall_resolve_name(string name);

    [LibraryImport(Library)]
    public static partial int seccomp_rule_add_array(nint context, uint action, int call, uint count, Comparison* comparisons);

    [LibraryImport(Library)]
    public static partial int seccomp_export_bpf(nint context, int fd);
}
