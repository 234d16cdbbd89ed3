using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>A volume of a pod. See <c>pods.md: Pod Manifest Schema</c>.</summary>
public sealed partial record Volume
{
    internal const string DefaultMode = "0755";

    /// <summary>Name of the volume; required.</summary>
    public AcName Name { get; init; } = null!;

    /// <summary>Where the volume comes from.</summary>
    public VolumeKind Kind { get; init; }

    /// <summary>Absolute path on the host, for a volume of kind <see cref="VolumeKind.Host"/>; null otherwise.</summary>
    public string? Source { get; init => field = value is "" ? null : value; }

    /// <summary>Whether it is mounted read-only; null if it is not said, which means no.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>Whether what is mounted below the source is mounted too; null if it is not said, which means yes.</summary>
    public bool? Recursive { get; init; }

    /// <summary>Mode of an empty volume in octal digits; null means <c>0755</c>.</summary>
    public string? Mode { get; init; }

    /// <summary>Number of the user who owns an empty volume; null means 0.</summary>
    public long? Uid { get; init; }

    /// <summary>Number of the group that owns an empty volume; null means 0.</summary>
    public long? Gid { get; init; }

    /// <summary>Members that the specification does not define, in the order of the document.</summary>
    public IReadOnlyList<UnknownMember> UnknownMembers { get; init => field = ValueList<UnknownMember>.Of(value); } = ValueList<UnknownMember>.Empty;
}
