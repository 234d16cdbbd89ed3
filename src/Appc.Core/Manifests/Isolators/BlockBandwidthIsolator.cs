using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>How many bytes a second an app or pod reads from and writes to any one block device. See <c>ace.md: Resource Isolators</c>.</summary>
public sealed record BlockBandwidthIsolator : ResourceIsolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="limit">The most that can be used, in bytes a second.</param>
    public BlockBandwidthIsolator(Quantity limit)
        : base(IsolatorNames.BlockBandwidth, isDefault: true, null, limit)
    {
    }

    internal BlockBandwidthIsolator(IsolatorSource source, Quantity? limit)
        : base(source, null, limit)
    {
    }
}
