namespace Appc.Stage1;

/// <summary>Whether a pod has the metadata service (ace.md, "App Container Metadata Service").</summary>
public enum MetadataMode
{
    /// <summary>It has, if one serves the data directory when the pod starts; otherwise the pod starts without it.</summary>
    Auto,

    /// <summary>It has; where none serves the data directory, the pod does not start.</summary>
    Required,

    /// <summary>It has not.</summary>
    None,
}
