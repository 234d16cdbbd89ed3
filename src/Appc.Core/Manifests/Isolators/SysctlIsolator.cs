using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>Kernel parameters of a pod. See <c>ace.md: Unix Isolators</c>.</summary>
public sealed record SysctlIsolator : Isolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="entries">Names of parameters and their values.</param>
    /// <exception cref="ManifestException">A name occurs twice.</exception>
    public SysctlIsolator(IEnumerable<KeyValuePair<string, string>> entries)
        : this(ValueList<KeyValuePair<string, string>>.Of([.. entries]))
    {
    }

    internal SysctlIsolator(IsolatorSource source, ValueList<KeyValuePair<string, string>> entries)
        : base(source) => Entries = entries;

    private SysctlIsolator(ValueList<KeyValuePair<string, string>> entries)
        : base(IsolatorNames.Sysctl, writer => IsolatorJson.WriteTexts(writer, [.. entries.Select(static entry => (entry.Key, entry.Value))])) => Entries = entries;

    /// <summary>Names of parameters, such as <c>net.ipv4.ip_forward</c>, and their values, in the order of the manifest.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Entries { get; }
}
