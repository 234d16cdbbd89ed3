using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Appc.Manifests;

/// <summary>
/// An operating system and an architecture, in the words of the labels <c>os</c> and <c>arch</c>. See
/// <c>aci.md: Image Manifest Schema</c>.
/// </summary>
/// <param name="Os">The operating system, such as <c>linux</c>.</param>
/// <param name="Arch">The architecture, such as <c>amd64</c>.</param>
public sealed record OsArch(string Os, string Arch)
{
    private static readonly string[] s_oses = ["darwin", "freebsd", "linux"];
    private static readonly string[] s_linux = ["amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b", "ppc64", "ppc64le", "s390x"];
    private static readonly string[] s_freebsd = ["amd64", "i386", "arm"];
    private static readonly string[] s_darwin = ["x86_64", "i386"];

    // As the labels say it, and as the Go tool chain (and with it OCI) does: os, arch, variant of arch.
    private static readonly (string Os, string Arch, string GoOs, string GoArch, string Flavor)[] s_translations =
    [
        ("linux", "amd64", "linux", "amd64", ""),
        ("linux", "i386", "linux", "386", ""),
        ("linux", "aarch64", "linux", "arm64", ""),
        ("linux", "armv6l", "linux", "arm", "6"),
        ("linux", "armv6l", "linux", "arm", ""),
        ("linux", "armv7l", "linux", "arm", "7"),
        ("linux", "ppc64", "linux", "ppc64", ""),
        ("linux", "ppc64le", "linux", "ppc64le", ""),
        ("linux", "s390x", "linux", "s390x", ""),
        ("freebsd", "amd64", "freebsd", "amd64", ""),
        ("freebsd", "i386", "freebsd", "386", ""),
        ("freebsd", "arm", "freebsd", "arm", "6"),
        ("freebsd", "arm", "freebsd", "arm", ""),
        ("freebsd", "arm", "freebsd", "arm", "5"),
        ("freebsd", "arm", "freebsd", "arm", "7"),
        ("darwin", "x86_64", "darwin", "amd64", ""),
        ("darwin", "i386", "darwin", "386", ""),
    ];

    /// <summary>What this process runs on; null if the specification has no words for it.</summary>
    public static OsArch? Current
    {
        get
        {
            string os = OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsMacOS() ? "darwin" : OperatingSystem.IsFreeBSD() ? "freebsd" : "";
            (string arch, string flavor) = RuntimeInformation.ProcessArchitecture switch
            {
                Architecture.X64 => ("amd64", ""),
                Architecture.X86 => ("386", ""),
                Architecture.Arm64 => ("arm64", ""),
                Architecture.Arm => ("arm", "7"),
                Architecture.Armv6 => ("arm", "6"),
                Architecture.Ppc64le => ("ppc64le", ""),
                Architecture.S390x => ("s390x", ""),
                _ => ("", ""),
            };
            return TryFromGo(os, arch, flavor, out OsArch? result) ? result : null;
        }
    }

    internal static string KnownOsText => string.Join(", ", s_oses);

    /// <summary>Whether the specification knows the operating system.</summary>
    public static bool IsKnownOs(string? os) => KnownArchs(os) is not null;

    /// <summary>Whether the specification knows the architecture together with the operating system.</summary>
    public static bool IsKnown(string? os, string? arch) => KnownArchs(os)?.Contains(arch) ?? false;

    /// <summary>Translates from the words of the Go tool chain, which OCI images use too.</summary>
    /// <param name="os">For example <c>linux</c>.</param>
    /// <param name="arch">For example <c>arm64</c>.</param>
    /// <param name="flavor">Variant of the architecture, for example <c>7</c> for ARMv7; empty if there is none.</param>
    /// <exception cref="ManifestException">There is no such combination in the specification.</exception>
    public static OsArch FromGo(string os, string arch, string flavor = "") =>
        TryFromGo(os, arch, flavor, out OsArch? result)
            ? result
            : throw new ManifestException($"the specification has no words for {Json.ShownText.Shorten($"{os}/{arch} {flavor}".TrimEnd())}");

    /// <summary>Translates from the words of the Go tool chain; false if there is no such combination in the specification.</summary>
    public static bool TryFromGo(string os, string arch, string flavor, [NotNullWhen(true)] out OsArch? result)
    {
        foreach (var row in s_translations)
        {
            if (row.GoOs == os && row.GoArch == arch && row.Flavor == flavor)
            {
                result = new OsArch(row.Os, row.Arch);
                return true;
            }
        }

        result = null;
        return false;
    }

    /// <summary>Translates to the words of the Go tool chain; false for a combination that it does not have.</summary>
    public bool TryToGo([NotNullWhen(true)] out string? os, [NotNullWhen(true)] out string? arch, [NotNullWhen(true)] out string? flavor)
    {
        foreach (var row in s_translations)
        {
            if (row.Os == Os && row.Arch == Arch)
            {
                (os, arch, flavor) = (row.GoOs, row.GoArch, row.Flavor);
                return true;
            }
        }

        (os, arch, flavor) = (null, null, null);
        return false;
    }

    /// <summary>The two with a slash between, as the specification lists them.</summary>
    public override string ToString() => $"{Os}/{Arch}";

    internal static string KnownArchText(string os) => string.Join(", ", KnownArchs(os) ?? []);

    private static string[]? KnownArchs(string? os) => os switch
    {
        "linux" => s_linux,
        "freebsd" => s_freebsd,
        "darwin" => s_darwin,
        _ => null,
    };
}
