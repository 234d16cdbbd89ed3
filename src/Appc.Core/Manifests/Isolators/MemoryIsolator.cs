using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>How much memory an app or pod gets, in bytes. See <c>ace.md: Resource Isolators</c>.</summary>
public sealed record MemoryIsolator : ResourceIsolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="limit">The most that can be used, in bytes; null if it is not to be said.</param>
    /// <param name="request">The least that is guaranteed, in bytes; null means the same as the limit.</param>
    public MemoryIsolator(Quantity? limit, Quantity? request = null)
        : base(IsolatorNames.Memory, isDefault: false, request, limit)
    {
    }

    internal MemoryIsolator(IsolatorSource source, Quantity? request, Quantity? limit)
        : base(source, request, limit)
    {
    }
}
