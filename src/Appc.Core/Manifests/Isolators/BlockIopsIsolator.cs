using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>How many operations a second an app or pod does on any one block device. See <c>ace.md: Resource Isolators</c>.</summary>
public sealed record BlockIopsIsolator : ResourceIsolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="limit">The most that can be used, in operations a second.</param>
    public BlockIopsIsolator(Quantity limit)
        : base(IsolatorNames.BlockIops, isDefault: true, null, limit)
    {
    }

    internal BlockIopsIsolator(IsolatorSource source, Quantity? limit)
        : base(source, null, limit)
    {
    }
}
