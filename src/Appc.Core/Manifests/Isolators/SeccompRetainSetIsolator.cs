using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>The system calls that an app can make; all others are blocked. Not together with <see cref="SeccompRemoveSetIsolator"/>. See <c>ace.md: Linux Isolators</c>.</summary>
public sealed record SeccompRetainSetIsolator : SeccompIsolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="set">Names of system calls, and wildcards that begin with <c>@</c>; at least one.</param>
    /// <param name="errno">Name of the error that a blocked call gives, such as <c>EPERM</c>; null if the app is to be ended instead.</param>
    /// <exception cref="ManifestException">The set is empty, or the error is no name of one.</exception>
    public SeccompRetainSetIsolator(IReadOnlyList<string> set, string? errno = null)
        : base(IsolatorNames.SeccompRetainSet, set, errno)
    {
    }

    internal SeccompRetainSetIsolator(IsolatorSource source, ValueList<string> set, string? errno)
        : base(source, set, errno)
    {
    }
}
