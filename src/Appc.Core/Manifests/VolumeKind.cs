namespace Appc.Manifests;

/// <summary>Kind of a volume.</summary>
public enum VolumeKind
{
    /// <summary>An empty directory that lives as long as the pod.</summary>
    Empty,

    /// <summary>A directory or file of the host.</summary>
    Host,
}
