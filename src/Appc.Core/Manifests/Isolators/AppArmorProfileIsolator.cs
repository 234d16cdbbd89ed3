using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>The AppArmor profile that an app or pod runs under. See <c>ace.md: Linux Isolators</c>.</summary>
public sealed record AppArmorProfileIsolator : Isolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="profile">Name of a profile that the host has loaded.</param>
    /// <exception cref="ManifestException">The name is empty.</exception>
    public AppArmorProfileIsolator(string profile)
        : base(IsolatorNames.AppArmorProfile, writer => IsolatorJson.WriteTexts(writer, ("profile", profile)))
    {
        Profile = profile;
    }

    internal AppArmorProfileIsolator(IsolatorSource source, string profile)
        : base(source)
    {
        Profile = profile;
    }

    /// <summary>Name of a profile that the host has loaded.</summary>
    public string Profile { get; }
}
