using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>The capabilities that an app loses out of <see cref="CapabilitySetIsolator.DefaultSet"/>. Not together with <see cref="CapabilitiesRetainSetIsolator"/>. See <c>ace.md: Linux Isolators</c>.</summary>
public sealed record CapabilitiesRemoveSetIsolator : CapabilitySetIsolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="set">Names of capabilities, such as <c>CAP_KILL</c>; at least one.</param>
    /// <exception cref="ManifestException">The set is empty.</exception>
    public CapabilitiesRemoveSetIsolator(params IReadOnlyList<string> set)
        : base(IsolatorNames.CapabilitiesRemoveSet, set)
    {
    }

    internal CapabilitiesRemoveSetIsolator(IsolatorSource source, ValueList<string> set)
        : base(source, set)
    {
    }
}
