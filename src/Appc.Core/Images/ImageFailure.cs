namespace Appc.Images;

/// <summary>Why an image was refused or could not be handled.</summary>
public enum ImageFailure
{
    /// <summary>The archive is malformed, truncated or tries something that an image may not do.</summary>
    BadArchive,

    /// <summary>A limit of <see cref="ArchiveLimits"/> was passed.</summary>
    LimitExceeded,

    /// <summary>The bytes have another hash than the one that was asked for.</summary>
    HashMismatch,

    /// <summary>The manifest names another image (name or labels) than the one that was asked for.</summary>
    NameMismatch,

    /// <summary>No such image in the store.</summary>
    NotFound,

    /// <summary>The prefix or name fits more than one image.</summary>
    Ambiguous,

    /// <summary>The image is in use by a pod, another image or another process.</summary>
    InUse,

    /// <summary>The store or the file system failed: no space, no permission, damaged files.</summary>
    Storage,
}
