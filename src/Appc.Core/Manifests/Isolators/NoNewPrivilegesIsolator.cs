using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>Whether an app and what it starts can gain privileges, as by set-user-id programs. See <c>ace.md: Linux Isolators</c>.</summary>
public sealed record NoNewPrivilegesIsolator : Isolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="enabled">Whether gaining privileges is ruled out.</param>
    /// <exception cref="ManifestException">Never: either value is valid.</exception>
    public NoNewPrivilegesIsolator(bool enabled)
        : base(IsolatorNames.NoNewPrivileges, writer => writer.WriteBooleanValue(enabled))
    {
        Enabled = enabled;
    }

    internal NoNewPrivilegesIsolator(IsolatorSource source, bool enabled)
        : base(source)
    {
        Enabled = enabled;
    }

    /// <summary>Whether gaining privileges is ruled out.</summary>
    public bool Enabled { get; }
}
