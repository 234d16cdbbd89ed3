using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>A port of an app that is reachable from outside its pod. See <c>pods.md: Pod Manifest Schema</c>.</summary>
public sealed record ExposedPort
{
    /// <summary>Name of the app's port; required.</summary>
    public AcName Name { get; init; } = null!;

    /// <summary>Port of the host, 1 to 65535.</summary>
    public int HostPort { get; init; }

    /// <summary>IPv4 address of the host to listen on, in dotted-quad form; null means all. <c>hostIP</c> in JSON.</summary>
    public string? HostIp { get; init => field = value is "" ? null : value; }

    /// <summary>The port in the pod, in place of the app's port of this name; null for that one.</summary>
    public Port? PodPort { get; init; }

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
