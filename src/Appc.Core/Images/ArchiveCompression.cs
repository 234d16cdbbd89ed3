namespace Appc.Images;

/// <summary>How an archive is compressed.</summary>
public enum ArchiveCompression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>gzip.</summary>
    Gzip,

    /// <summary>bzip2.</summary>
    Bzip2,
}
