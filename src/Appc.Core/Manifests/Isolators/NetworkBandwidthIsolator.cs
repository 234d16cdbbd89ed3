using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>How many bytes a second an app or pod sends and receives on any one network interface; does not hold for traffic inside the pod. See <c>ace.md: Resource Isolators</c>.</summary>
public sealed record NetworkBandwidthIsolator : ResourceIsolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="limit">The most that can be used, in bytes a second.</param>
    public NetworkBandwidthIsolator(Quantity limit)
        : base(IsolatorNames.NetworkBandwidth, isDefault: true, null, limit)
    {
    }

    internal NetworkBandwidthIsolator(IsolatorSource source, Quantity? limit)
        : base(source, null, limit)
    {
    }
}
