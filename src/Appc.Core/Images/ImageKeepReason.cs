namespace Appc.Images;

/// <summary>Why a collection leaves an image.</summary>
public enum ImageKeepReason
{
    /// <summary>It was used within the grace period.</summary>
    UsedLately,

    /// <summary>A pod, or whatever else the host names, uses it.</summary>
    InUse,

    /// <summary>An image that stays depends on it.</summary>
    Dependency,

    /// <summary>Another process holds it.</summary>
    Held,

    /// <summary>Its files cannot be read; only an explicit removal takes it away.</summary>
    Damaged,
}
