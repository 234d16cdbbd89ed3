using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>A set of capabilities that an app keeps or loses. See <c>ace.md: Linux Isolators</c>.</summary>
public abstract record CapabilitySetIsolator : Isolator
{
    private protected CapabilitySetIsolator(string name, IReadOnlyList<string> set)
        : base(name, writer => IsolatorJson.WriteSet(writer, set)) => Set = ValueList<string>.Of(set);

    private protected CapabilitySetIsolator(IsolatorSource source, ValueList<string> set)
        : base(source) => Set = set;

    /// <summary>The capabilities that an app has when no isolator says otherwise.</summary>
    public static IReadOnlyList<string> DefaultSet { get; } = ValueList<string>.Of(
    [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD",
        "CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETFCAP", "CAP_SYS_CHROOT",
    ]);

    /// <summary>Names of the capabilities as the manifest has them; which exist is for the kernel to say.</summary>
    public IReadOnlyList<string> Set { get; }
}
