using System.Runtime.InteropServices;

namespace Appc.Linux;

/// <summary>bpf(2), as far as it is about programs of control groups.</summary>
internal static unsafe partial class Libc
{
    public const int BPF_MAP_CREATE = 0;
    public const int BPF_PROG_LOAD = 5;
    public const int BPF_PROG_ATTACH = 8;

    public const uint BPF_MAP_TYPE_ARRAY = 2;
    public const uint BPF_PROG_TYPE_CGROUP_SKB = 8;
    public const uint BPF_CGROUP_INET_INGRESS = 0;
    public const uint BPF_CGROUP_INET_EGRESS = 1;
    public const uint BPF_F_ALLOW_MULTI = 2;

    /// <summary>What BPF_MAP_CREATE takes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BpfMap
    {
        public uint Type;
        public uint KeySize;
        public uint ValueSize;
        public uint MaxEntries;
        public uint Flags;
    }

    /// <summary>What BPF_PROG_LOAD takes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BpfProgram
    {
        public uint Type;
        public uint Count;
        public ulong Instructions;
        public ulong License;
        public uint LogLevel;
        public uint LogSize;
        public ulong Log;
        public uint KernelVersion;
        public uint Flags;
        public ulong Name0;
        public ulong Name1;
        public uint Interface;
        public uint AttachType;
    }

    /// <summary>What BPF_PROG_ATTACH takes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BpfAttachment
    {
        public uint Target;
        public uint Program;
        public uint Type;
        public uint Flags;
    }

    /// <summary>bpf(2); -1 and errno on failure. Descriptors that it gives are close-on-exec.</summary>
    public static int Bpf<T>(int command, T attributes)
        where T : unmanaged => (int)SystemCall3(SystemCall.Bpf, command, (nint)(&attributes), sizeof(T));
}
