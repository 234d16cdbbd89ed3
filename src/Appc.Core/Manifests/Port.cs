using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>A port, or a range of ports, that an app listens on. See <c>aci.md: Image Manifest Schema</c>.</summary>
public sealed partial record Port
{
    /// <summary>Name of the port; required.</summary>
    public AcName Name { get; init; } = null!;

    /// <summary>Protocol, such as <c>tcp</c> or <c>udp</c>; any text is allowed.</summary>
    /// <value><c>tcp</c>.</value>
    public string Protocol { get; init; } = "tcp";

    /// <summary>The (first) port, 1 to 65535; <c>port</c> in JSON.</summary>
    public int Number { get; init; }

    /// <summary>How many ports, from <see cref="Number"/> on.</summary>
    /// <value>1.</value>
    public int Count { get; init; } = 1;

    /// <summary>Whether the app expects to be handed the listening sockets.</summary>
    public bool SocketActivated { get; init; }

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
