using System.Runtime.InteropServices;
using Appc.Manifests;

namespace Appc.Fetching;

/// <summary>The platform that images are looked for where nobody names one.</summary>
internal static class HostPlatform
{
    /// <summary>The host's, or the Linux one of the same processor on hosts that no image is made for.</summary>
    public static OsArch Default { get; } = OsArch.Current is { Os: "linux" or "freebsd" } host
        ? host
        : new OsArch("linux", RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "aarch64" : "amd64");

    /// <summary>The labels os and arch, with a value for each that was not given.</summary>
    public static Label[] Labels(string? os, string? arch) => [new("os", os ?? Default.Os), new("arch", arch ?? Default.Arch)];
}
