namespace Appc.Images;

/// <summary>Bounds on what an archive may ask of this machine. Passing one is a clear error.</summary>
public sealed class ArchiveLimits
{
    /// <summary>Largest size of the uncompressed archive, in bytes.</summary>
    /// <value>The default value is 64 GiB.</value>
    public long ExpandedBytes { get; set; } = 64L << 30;

    /// <summary>Largest number of entries.</summary>
    /// <value>The default value is 2,000,000.</value>
    public long Entries { get; set; } = 2_000_000;

    /// <summary>Largest ratio of uncompressed to compressed bytes, looked at beyond the first 16 MiB.</summary>
    /// <value>The default value is 1,000.</value>
    public int Ratio { get; set; } = 1_000;

    /// <summary>Longest name of an entry or target of a link, in bytes.</summary>
    /// <value>The default value is 4,096.</value>
    public int PathBytes { get; set; } = 4_096;

    /// <summary>Largest manifest, in bytes.</summary>
    /// <value>The default value is 4 MiB.</value>
    public int ManifestBytes { get; set; } = 4 << 20;

    /// <summary>Largest extended header of an entry (names, attributes), in bytes.</summary>
    /// <value>The default value is 1 MiB.</value>
    public int ExtendedHeaderBytes { get; set; } = 1 << 20;

    /// <summary>
    /// Whether an archive may be compressed with zstd. The specification knows gzip, bzip2 and xz only, so other
    /// runtimes will not read such an image.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool AllowZstd { get; set; }
}
