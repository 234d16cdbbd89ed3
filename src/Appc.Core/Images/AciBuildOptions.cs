namespace Appc.Images;

/// <summary>How an image is built.</summary>
public sealed class AciBuildOptions
{
    /// <summary>How the archive is compressed.</summary>
    /// <value>The default value is <see cref="ArchiveCompression.Gzip"/>.</value>
    public ArchiveCompression Compression { get; set; } = ArchiveCompression.Gzip;

    /// <summary>Whether every file belongs to root (user and group 0), whoever owns it here.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool OwnerRoot { get; set; }

    /// <summary>The time of every entry.</summary>
    /// <value>
    /// The default value is null: each file keeps its own time, to the nanosecond, but none is later than the
    /// environment variable SOURCE_DATE_EPOCH (seconds since 1970) where that is set.
    /// A value that is no such number is an error.
    /// </value>
    public DateTimeOffset? FixedTime { get; set; }

    /// <summary>Whether an existing file is replaced.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool Overwrite { get; set; }
}
