using System.Runtime.InteropServices;

namespace Appc.Fetching;

/// <summary>The os and arch labels of this host, in the specification's terms.</summary>
internal static class HostPlatform
{
    /// <summary>Images run on Linux; the other two systems that the specification knows have their own.</summary>
    public static string Os => OperatingSystem.IsFreeBSD() ? "freebsd" : "linux";

    public static string Arch => RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.X86 => "i386",
        Architecture.Arm64 => "aarch64",
        Architecture.Arm => "armv7l",
        Architecture.Armv6 => "armv6l",
        Architecture.Ppc64le => "ppc64le",
        Architecture.S390x => "s390x",
        Architecture other => other.ToString().ToLowerInvariant(),
    };
}
