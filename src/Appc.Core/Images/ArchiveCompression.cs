namespace Appc.Images;

/// <summary>Compression of an archive.</summary>
public enum ArchiveCompression
{
    /// <summary>None.</summary>
    None,
    /// <summary>gzip.</summary>
    Gzip,
    /// <summary>bzip2.</summary>
    Bzip2,
}
