using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>How much of the processors an app or pod gets, in cores: 1 is one core all the time. See <c>ace.md: Resource Isolators</c>.</summary>
public sealed record CpuIsolator : ResourceIsolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="limit">The most that can be used, in cores; null if it is not to be said.</param>
    /// <param name="request">The least that is guaranteed, in cores; null means the same as the limit.</param>
    public CpuIsolator(Quantity? limit, Quantity? request = null)
        : base(IsolatorNames.Cpu, isDefault: false, request, limit)
    {
    }

    internal CpuIsolator(IsolatorSource source, Quantity? request, Quantity? limit)
        : base(source, request, limit)
    {
    }
}
