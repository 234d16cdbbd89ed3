using System.Globalization;
using Appc.Manifests;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Limits;

/// <summary>How much of the machine an app or a pod may use. Null is no limit.</summary>
internal sealed record ResourceLimits
{
    /// <summary>The most bytes of memory.</summary>
    internal long? Memory { get; init; }

    /// <summary>Bytes of memory that are taken away last when memory is short.</summary>
    internal long? MemoryRequest { get; init; }

    /// <summary>The most time of processors, in thousandths of one.</summary>
    internal long? Cpu { get; init; }

    /// <summary>Weight among others that want a processor, 2 to 262144; 1024 is the usual one.</summary>
    internal long? CpuShares { get; init; }

    /// <summary>The most bytes a second read from, and written to, one block device.</summary>
    internal long? BlockBytes { get; init; }

    /// <summary>The most reads, and writes, a second of one block device.</summary>
    internal long? BlockOperations { get; init; }

    /// <summary>The most bytes a second sent to, and received from, networks.</summary>
    internal long? NetworkBytes { get; init; }

    /// <summary>Reads the isolators. As the specification has it, what has a limit and no request asks for as much as the limit.</summary>
    /// <exception cref="LaunchException">A limit leaves nothing.</exception>
    internal static ResourceLimits FromIsolators(IReadOnlyList<Isolator> isolators, string subject)
    {
        MemoryIsolator? memory = Find<MemoryIsolator>(isolators, IsolatorNames.Memory);
        CpuIsolator? cpu = Find<CpuIsolator>(isolators, IsolatorNames.Cpu);
        return new ResourceLimits
        {
            Memory = Positive(memory?.Limit?.Value, IsolatorNames.Memory, subject),
            MemoryRequest = (memory?.Request ?? memory?.Limit)?.Value,
            Cpu = Positive(cpu?.Limit?.MilliValue, IsolatorNames.Cpu, subject),
            CpuShares = Shares(Find<CpuSharesIsolator>(isolators, IsolatorNames.CpuShares)?.Shares ?? ToShares((cpu?.Request ?? cpu?.Limit)?.MilliValue)),
            BlockBytes = Positive(Find<BlockBandwidthIsolator>(isolators, IsolatorNames.BlockBandwidth)?.Limit?.Value, IsolatorNames.BlockBandwidth, subject),
            BlockOperations = Positive(Find<BlockIopsIsolator>(isolators, IsolatorNames.BlockIops)?.Limit?.Value, IsolatorNames.BlockIops, subject),
            NetworkBytes = Positive(Find<NetworkBandwidthIsolator>(isolators, IsolatorNames.NetworkBandwidth)?.Limit?.Value, IsolatorNames.NetworkBandwidth, subject),
        };
    }

    /// <summary>What to do where a start has failed that may have had too little memory; null if nothing limits it.</summary>
    internal string? HintForMemory => Memory is { } limit
        ? string.Create(CultureInfo.InvariantCulture, $"The isolator {IsolatorNames.Memory} leaves {limit} bytes for all of the pod, its own processes included: they need some megabytes.") : null;

    /// <summary>The controller that an isolator is enforced by; null if it is none about resources.</summary>
    internal static string? ControllerOf(string isolator) => isolator switch
    {
        IsolatorNames.Memory => LimitHost.Memory,
        IsolatorNames.Cpu or IsolatorNames.CpuShares => LimitHost.Cpu,
        IsolatorNames.BlockBandwidth or IsolatorNames.BlockIops => LimitHost.Io,
        _ => null,
    };

    /// <summary>Whether something is said that a controller enforces.</summary>
    internal bool Concern(string controller) => controller switch
    {
        LimitHost.Memory => Memory is not null || MemoryRequest is not null,
        LimitHost.Cpu => Cpu is not null || CpuShares is not null,
        _ => BlockBytes is not null || BlockOperations is not null,
    };

    /// <summary>The limits of one that is bounded by these.</summary>
    internal ResourceLimits Within(ResourceLimits inner) => new()
    {
        Memory = Least(Memory, inner.Memory),
        MemoryRequest = Least(MemoryRequest, inner.MemoryRequest),
        Cpu = Least(Cpu, inner.Cpu),
        CpuShares = Least(CpuShares, inner.CpuShares),
        BlockBytes = Least(BlockBytes, inner.BlockBytes),
        BlockOperations = Least(BlockOperations, inner.BlockOperations),
        NetworkBytes = Least(NetworkBytes, inner.NetworkBytes),
    };

    private static long? Least(long? one, long? other) => one is null ? other : other is null ? one : Math.Min(one.Value, other.Value);

    private static T? Find<T>(IReadOnlyList<Isolator> isolators, string name)
        where T : Isolator =>
        IsolatorReader.Find(isolators, name) is { } isolator ? isolator as T ?? (T)Isolator.Create(isolator.Name, isolator.ValueJson) : null;

    private static long? Positive(long? value, string isolator, string subject) =>
        value is 0 ? throw new LaunchException("read the isolators", 0, $"{subject}: a limit of 0 for {isolator} leaves nothing to run with") : value;

    /// <summary>As everybody translates them: a whole processor asked for weighs as much as a process does by itself.</summary>
    private static long? ToShares(long? milli) => milli is null ? null : Math.Min(milli.Value, 1_000_000) * 1024 / 1000;

    private static long? Shares(long? shares) => shares is null ? null : Math.Clamp(shares.Value, 2, 262144);
}
