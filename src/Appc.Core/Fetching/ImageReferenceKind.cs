namespace Appc.Fetching;

/// <summary>What an image reference names.</summary>
public enum ImageReferenceKind
{
    /// <summary>An image name with labels, to be looked for in the store and by discovery.</summary>
    Name,

    /// <summary>An image id or the beginning of one, to be looked for in the store.</summary>
    Id,

    /// <summary>The address of an archive.</summary>
    Url,

    /// <summary>The path of an archive.</summary>
    File,
}
