namespace Appc.Linux;

/// <summary>
/// Holds what the processes of a version 2 control group send, or receive, to a number of bytes a second: a program of
/// some sixty instructions that the kernel runs for each of their packets. It belongs to the group, and goes with it.
/// </summary>
/// <remarks>
/// The bucket is a single number, the time at which all that has passed would have passed at the limit. What comes
/// when that is further ahead than the burst is dropped; TCP then slows down. Loopback interfaces are exempt.
/// </remarks>
internal static unsafe class BandwidthProgram
{
    private const int NanosecondsPerSecond = 1_000_000_000;

    // How far ahead of the limit somebody may be who was silent before. TCP needs some, or it never gets up to speed.
    private const int Burst = 200_000_000;

    // Two processors may pass packets at the same moment; who loses that often is charged without being looked at.
    private const int Attempts = 6;

    private const int OffsetOfLength = 0;
    private const int OffsetOfInterface = 40;
    private const int LoopbackInterface = 1;

    private const int Drop = 0;
    private const int Pass = 1;

    // To who sends it is told as a full queue would tell: without that, a datagram fails with EPERM.
    private const int DropAndTell = 2;
    private const int PassAndTell = 3;

    /// <summary>Why the kernel does not take such programs from this process: an error number; 0 if it does.</summary>
    internal static int Probe()
    {
        try
        {
            using Fd map = NewBucket();
            using Fd program = Load(map, 1, sends: true);
            return 0;
        }
        catch (ErrnoException e)
        {
            return e.Number;
        }
    }

    /// <summary>Limits a group, in each direction by itself.</summary>
    /// <param name="group">The group.</param>
    /// <param name="bytesPerSecond">The limit; above 0.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    internal static void Attach(Fd group, long bytesPerSecond)
    {
        foreach (bool sends in (ReadOnlySpan<bool>)[true, false])
        {
            using Fd map = NewBucket();
            using Fd program = Load(map, bytesPerSecond, sends);
            int result = Libc.Bpf(Libc.BPF_PROG_ATTACH, new Libc.BpfAttachment
            {
                Target = (uint)group.Number,
                Program = (uint)program.Number,
                Type = TypeOf(sends),
                Flags = Libc.BPF_F_ALLOW_MULTI,
            });
            ErrnoException.ThrowIfFailed(result, "attach a program to the control group");
        }
    }

    private static uint TypeOf(bool sends) => sends ? Libc.BPF_CGROUP_INET_EGRESS : Libc.BPF_CGROUP_INET_INGRESS;

    private static Fd NewBucket() => Fd.Own(
        Libc.Bpf(Libc.BPF_MAP_CREATE, new Libc.BpfMap { Type = Libc.BPF_MAP_TYPE_ARRAY, KeySize = sizeof(uint), ValueSize = sizeof(ulong), MaxEntries = 1 }),
        "make a map for a program");

    private static Fd Load(Fd bucket, long bytesPerSecond, bool sends)
    {
        ulong[] instructions = [.. Write(bucket.Number, bytesPerSecond, sends)];
        fixed (ulong* code = instructions)
        {
            fixed (byte* license = "Apache-2.0\0"u8)
            {
                return Fd.Own(
                    Libc.Bpf(Libc.BPF_PROG_LOAD, new Libc.BpfProgram
                    {
                        Type = Libc.BPF_PROG_TYPE_CGROUP_SKB,
                        Count = (uint)instructions.Length,
                        Instructions = (ulong)code,
                        License = (ulong)license,
                        AttachType = TypeOf(sends),
                    }),
                    "load a program for the control group");
            }
        }
    }

    private static List<ulong> Write(int bucket, long bytesPerSecond, bool sends)
    {
        const int Context = 6, Cost = 7, Bucket = 8, Now = 9;
        List<ulong> code = [];
        List<int> toPass = [], toDrop = [];

        Add(0xbf, Context, 1);                                      // context = r1
        Add(0x61, 0, Context, OffsetOfInterface);                   // r0 = interface
        Add(0x55, 0, 0, 2, LoopbackInterface);                      // unless it is the loopback one
        Add(0xb7, 0, 0, 0, Pass);
        Add(0x95);
        Add(0x61, Cost, Context, OffsetOfLength);                   // cost = length
        Add(0x27, Cost, 0, 0, NanosecondsPerSecond);                // cost *= 1e9
        AddWide(0, 1, bytesPerSecond);
        Add(0x3f, Cost, 1);                                         // cost /= limit
        Add(0x85, 0, 0, 0, 5);                                      // r0 = ktime_get_ns()
        Add(0xbf, Now, 0);
        AddWide(2, Bucket, bucket);                                 // the address of the map's value
        for (int i = 0; i < Attempts; i++)
        {
            Add(0x79, 1, Bucket);                                   // r1 = *bucket
            Add(0xbf, 2, 1);
            Add(0x3d, 2, Now, 1);                                   // r2 = the later of r1 and now
            Add(0xbf, 2, Now);
            Add(0xbf, 3, 2);
            Add(0x1f, 3, Now);                                      // r3 = how far ahead
            toDrop.Add(code.Count);
            Add(0x25, 3, 0, 0, Burst);
            Add(0x0f, 2, Cost);
            Add(0xbf, 0, 1);
            Add(0xdb, Bucket, 2, 0, 0xf1);                          // compare and exchange
            toPass.Add(code.Count);
            Add(0x1d, 0, 1);
        }

        Add(0xdb, Bucket, Cost);                                    // atomic add
        Add(0xb7, 3, 0, 0, 0);
        int pass = code.Count;
        Add(0xb7, 0, 0, 0, Pass);
        if (sends)
        {
            Add(0x25, 3, 0, 1, Burst / 2);
            Add(0x95);
            Add(0xb7, 0, 0, 0, PassAndTell);
        }

        Add(0x95);
        int drop = code.Count;
        Add(0xb7, 0, 0, 0, sends ? DropAndTell : Drop);
        Add(0x95);
        toPass.ForEach(at => code[at] |= (ulong)(ushort)(pass - at - 1) << 16);
        toDrop.ForEach(at => code[at] |= (ulong)(ushort)(drop - at - 1) << 16);
        return code;

        void Add(byte operation, int target = 0, int source = 0, int offset = 0, int value = 0) =>
            code.Add(operation | ((ulong)(target | (source << 4)) << 8) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)value << 32));

        void AddWide(int source, int target, long value)
        {
            Add(0x18, target, source, 0, (int)value);
            Add(0, value: source == 0 ? (int)(value >> 32) : 0);
        }
    }
}
