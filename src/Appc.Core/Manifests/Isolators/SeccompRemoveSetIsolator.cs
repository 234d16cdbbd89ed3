using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>The system calls that an app cannot make. Not together with <see cref="SeccompRetainSetIsolator"/>. See <c>ace.md: Linux Isolators</c>.</summary>
public sealed record SeccompRemoveSetIsolator : SeccompIsolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="set">Names of system calls, and wildcards that begin with <c>@</c>; at least one.</param>
    /// <param name="errno">Name of the error that a blocked call gives, such as <c>EPERM</c>; null if the app is to be ended instead.</param>
    /// <exception cref="ManifestException">The set is empty, or the error is no name of one.</exception>
    public SeccompRemoveSetIsolator(IReadOnlyList<string> set, string? errno = null)
        : base(IsolatorNames.SeccompRemoveSet, set, errno)
    {
    }

    internal SeccompRemoveSetIsolator(IsolatorSource source, ValueList<string> set, string? errno)
        : base(source, set, errno)
    {
    }
}
