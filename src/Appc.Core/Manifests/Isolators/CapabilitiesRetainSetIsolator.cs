using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>The capabilities that an app keeps; it loses all others. Not together with <see cref="CapabilitiesRemoveSetIsolator"/>. See <c>ace.md: Linux Isolators</c>.</summary>
public sealed record CapabilitiesRetainSetIsolator : CapabilitySetIsolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="set">Names of capabilities, such as <c>CAP_KILL</c>; at least one.</param>
    /// <exception cref="ManifestException">The set is empty.</exception>
    public CapabilitiesRetainSetIsolator(params IReadOnlyList<string> set)
        : base(IsolatorNames.CapabilitiesRetainSet, set)
    {
    }

    internal CapabilitiesRetainSetIsolator(IsolatorSource source, ValueList<string> set)
        : base(source, set)
    {
    }
}
