using System.Runtime.InteropServices;
using Appc.Manifests;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Fly;

/// <summary>
/// The system calls that an app is denied by default: those that reach beyond its own processes and files, unless it
/// has the capability that they are for. Programs for it are instructions of classic BPF, see seccomp(2).
/// </summary>
/// <remarks>
/// Most of them would fail for want of the capability anyway. The filter is for the rest: new user namespaces, which
/// give all capabilities to whoever makes them, and the kernel's less tried corners.
/// </remarks>
internal static class FlyFilter
{
    private const int None = -1;
    private const int SysModule = 16;
    private const int SysPAcct = 20;
    private const int SysAdmin = 21;
    private const int SysBoot = 22;
    private const int SysTime = 25;
    private const int DacReadSearch = 2;
    private const int SysLog = 34;
    private const int PerfMon = 38;
    private const int Bpf = 39;

    private const uint NamespaceFlags = 0x7e020000;
    private const uint AllowAction = 0x7fff0000;
    private const uint ErrnoAction = 0x00050000;
    private const uint NotPermitted = 1;
    private const uint NoSuchCall = 38;

    // Number on x64 and on arm64 (-1 where there is none), and the capability with which the call is allowed.
    private static readonly (int X64, int Arm64, int Capability)[] Denied =
    [
        (163, 89, SysPAcct),     // acct
        (248, 217, None),        // add_key
        (249, 218, None),        // request_key
        (250, 219, None),        // keyctl
        (321, 280, Bpf),         // bpf
        (305, 266, SysTime),     // clock_adjtime
        (227, 112, SysTime),     // clock_settime
        (164, 170, SysTime),     // settimeofday
        (175, 105, SysModule),   // init_module
        (313, 273, SysModule),   // finit_module
        (176, 106, SysModule),   // delete_module
        (246, 104, SysBoot),     // kexec_load
        (320, 294, SysBoot),     // kexec_file_load
        (169, 142, SysBoot),     // reboot
        (304, 265, DacReadSearch), // open_by_handle_at
        (298, 241, PerfMon),     // perf_event_open
        (103, 116, SysLog),      // syslog
        (165, 40, SysAdmin),     // mount
        (166, 39, SysAdmin),     // umount2
        (155, 41, SysAdmin),     // pivot_root
        (428, 428, SysAdmin),    // open_tree
        (429, 429, SysAdmin),    // move_mount
        (430, 430, SysAdmin),    // fsopen
        (431, 431, SysAdmin),    // fsconfig
        (432, 432, SysAdmin),    // fsmount
        (433, 433, SysAdmin),    // fspick
        (442, 442, SysAdmin),    // mount_setattr
        (272, 97, SysAdmin),     // unshare
        (308, 268, SysAdmin),    // setns
        (167, 224, SysAdmin),    // swapon
        (168, 225, SysAdmin),    // swapoff
        (179, 60, SysAdmin),     // quotactl
        (443, 443, SysAdmin),    // quotactl_fd
        (212, 18, SysAdmin),     // lookup_dcookie
        (172, -1, None),         // iopl
        (173, -1, None),         // ioperm
        (134, -1, None),         // uselib
        (136, -1, None),         // ustat
        (139, -1, None),         // sysfs
        (156, -1, None),         // _sysctl
        (180, 42, None),         // nfsservctl
        (323, 282, None),        // userfaultfd
        (425, 425, None),        // io_uring_setup
        (426, 426, None),        // io_uring_enter
        (427, 427, None),        // io_uring_register
    ];

    /// <summary>The capabilities that change the program.</summary>
    internal static ulong CapabilitiesThatMatter { get; } =
        Denied.Where(d => d.Capability != None).Aggregate(1UL << SysAdmin, (bits, d) => bits | (1UL << d.Capability));

    /// <summary>The program of an architecture for an app that may have these capabilities.</summary>
    internal static byte[] Build(Architecture architecture, CapabilitySet capabilities)
    {
        const string Allow = "allow";
        const string Deny = "deny";
        const string Missing = "missing";
        const string Clone = "clone";
        const uint Clone3 = 435;
        bool isX64 = architecture == Architecture.X64;
        bool Has(int capability) => capability != None && (capabilities.Bits & (1UL << capability)) != 0;
        List<(uint, string)> calls = [.. Denied.Where(d => !Has(d.Capability)).Select(d => isX64 ? d.X64 : d.Arm64).Where(n => n >= 0).Select(n => ((uint)n, Deny))];
        bool restrictsClone = !Has(SysAdmin);
        if (restrictsClone)
        {
            // The flags of clone3 lie in memory, where a filter cannot look; without it libc uses clone.
            calls.Add((Clone3, Missing));
            calls.Add((isX64 ? 56u : 220u, Clone));
        }

        calls.Sort();
        var program = new FilterAssembler();
        program.Load(4); // the architecture
        program.IfEqual(isX64 ? 0xc000003e : 0xc00000b7, null, Missing);
        program.Load(0); // the number
        if (isX64)
        {
            program.IfAtLeast(0x40000000, Missing); // the x32 interface: the same calls by other numbers
        }

        program.Switch(CollectionsMarshal.AsSpan(calls), Allow);
        if (restrictsClone)
        {
            program.Label(Clone);
            program.Load(16); // the low half of the first argument
            program.IfAny(NamespaceFlags, Deny, Allow);
        }

        program.Label(Allow);
        program.Return(AllowAction);
        program.Label(Deny);
        program.Return(ErrnoAction | NotPermitted);
        program.Label(Missing);
        program.Return(ErrnoAction | NoSuchCall);
        return program.Assemble();
    }

    /// <summary>Whether the app opts out of the default filter with the wildcards that the specification has for it.</summary>
    internal static bool OptsOut(IReadOnlyList<Isolator> isolators) =>
        (IsolatorReader.Find(isolators, IsolatorNames.SeccompRetainSet) is { } retain && IsolatorReader.ReadSet(retain).Contains("@appc.io/all"))
        || (IsolatorReader.Find(isolators, IsolatorNames.SeccompRemoveSet) is { } remove && IsolatorReader.ReadSet(remove).Contains("@appc.io/empty"));
}
