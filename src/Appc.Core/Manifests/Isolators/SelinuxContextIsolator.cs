using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>The SELinux context that an app or pod runs in. See <c>ace.md: Linux Isolators</c>.</summary>
public sealed record SelinuxContextIsolator : Isolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="user">The user of the context, such as <c>system_u</c>.</param>
    /// <param name="role">The role of the context, such as <c>system_r</c>.</param>
    /// <param name="type">The type of the context, such as <c>svirt_lxc_net_t</c>.</param>
    /// <param name="level">The level of the context, such as <c>s0:c1,c2</c>.</param>
    /// <exception cref="ManifestException">A part is empty, or one but the level has a colon.</exception>
    public SelinuxContextIsolator(string user, string role, string type, string level)
        : base(IsolatorNames.SelinuxContext, writer => IsolatorJson.WriteTexts(writer, ("user", user), ("role", role), ("type", type), ("level", level)))
    {
        User = user;
        Role = role;
        Type = type;
        Level = level;
    }

    internal SelinuxContextIsolator(IsolatorSource source, string user, string role, string type, string level)
        : base(source)
    {
        User = user;
        Role = role;
        Type = type;
        Level = level;
    }

    /// <summary>The user of the context, such as <c>system_u</c>.</summary>
    public string User { get; }

    /// <summary>The role of the context, such as <c>system_r</c>.</summary>
    public string Role { get; }

    /// <summary>The type of the context, such as <c>svirt_lxc_net_t</c>.</summary>
    public string Type { get; }

    /// <summary>The level of the context, such as <c>s0:c1,c2</c>.</summary>
    public string Level { get; }
}
