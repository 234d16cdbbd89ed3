namespace Appc.Manifests;

/// <summary>Names of the isolators that this library knows.</summary>
public static class IsolatorNames
{
    /// <summary>Shares of processors: <see cref="CpuIsolator"/>.</summary>
    public const string Cpu = "resource/cpu";

    /// <summary>Memory: <see cref="MemoryIsolator"/>.</summary>
    public const string Memory = "resource/memory";

    /// <summary>Bytes a second to and from block devices: <see cref="BlockBandwidthIsolator"/>.</summary>
    public const string BlockBandwidth = "resource/block-bandwidth";

    /// <summary>Operations a second on block devices: <see cref="BlockIopsIsolator"/>.</summary>
    public const string BlockIops = "resource/block-iops";

    /// <summary>Bytes a second to and from networks: <see cref="NetworkBandwidthIsolator"/>.</summary>
    public const string NetworkBandwidth = "resource/network-bandwidth";

    /// <summary>Capabilities that are kept: <see cref="CapabilitiesRetainSetIsolator"/>.</summary>
    public const string CapabilitiesRetainSet = "os/linux/capabilities-retain-set";

    /// <summary>Capabilities that are taken away: <see cref="CapabilitiesRemoveSetIsolator"/>.</summary>
    public const string CapabilitiesRemoveSet = "os/linux/capabilities-remove-set";

    /// <summary>System calls that are allowed: <see cref="SeccompRetainSetIsolator"/>.</summary>
    public const string SeccompRetainSet = "os/linux/seccomp-retain-set";

    /// <summary>System calls that are blocked: <see cref="SeccompRemoveSetIsolator"/>.</summary>
    public const string SeccompRemoveSet = "os/linux/seccomp-remove-set";

    /// <summary>Whether privileges can be gained: <see cref="NoNewPrivilegesIsolator"/>.</summary>
    public const string NoNewPrivileges = "os/linux/no-new-privileges";

    /// <summary>Weight among others that want the processor: <see cref="CpuSharesIsolator"/>. Not in the specification's text, but known to its schema.</summary>
    public const string CpuShares = "os/linux/cpu-shares";

    /// <summary>Who is killed first when memory runs out: <see cref="OomScoreAdjIsolator"/>. Not in the specification's text, but known to its schema.</summary>
    public const string OomScoreAdj = "os/linux/oom-score-adj";

    /// <summary>SELinux context: <see cref="SelinuxContextIsolator"/>.</summary>
    public const string SelinuxContext = "os/linux/selinux-context";

    /// <summary>AppArmor profile: <see cref="AppArmorProfileIsolator"/>.</summary>
    public const string AppArmorProfile = "os/linux/apparmor-profile";

    /// <summary>Kernel parameters: <see cref="SysctlIsolator"/>.</summary>
    public const string Sysctl = "os/unix/sysctl";
}
