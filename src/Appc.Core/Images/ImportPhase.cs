namespace Appc.Images;

/// <summary>The phases of an import.</summary>
public enum ImportPhase
{
    /// <summary>The archive is copied and its signature checked.</summary>
    Verifying,

    /// <summary>The archive is hashed and its tree written.</summary>
    Extracting,

    /// <summary>The image is made durable and visible.</summary>
    Publishing,
}
