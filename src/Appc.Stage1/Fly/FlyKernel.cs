using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Appc.Manifests;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Fly;

/// <summary>What a plan needs of the running kernel: found out once.</summary>
internal sealed class FlyKernel
{
    private readonly Lazy<KernelPaths> _paths = new(KernelPaths.OfThisKernel);
    private readonly Lazy<int> _lastCapability = new(Capability.OfThisKernel);
    private readonly ConcurrentDictionary<ulong, byte[]> _filters = [];

    internal KernelPaths Paths => _paths.Value;

    internal int LastCapability => _lastCapability.Value;

    /// <summary>The default filter for an app that may have these capabilities; empty if the app opts out of it.</summary>
    internal byte[] FilterFor(IReadOnlyList<Isolator> isolators, CapabilitySet capabilities) => FlyFilter.OptsOut(isolators) ? [] : _filters.GetOrAdd(
        FlyFilter.CapabilitiesThatMatter & capabilities.Bits, static bits => FlyFilter.Build(RuntimeInformation.ProcessArchitecture, new CapabilitySet(bits)));
}
