namespace Appc.Images;

/// <summary>How an image is built.</summary>
public sealed class AciBuildOptions
{
    /// <summary>Compression.</summary>
    public ArchiveCompression Compression { get; set; } = ArchiveCompression.Gzip;
    /// <summary>Whether every file belongs to root, whoever owns it here.</summary>
    public bool OwnerRoot { get; set; }
    /// <summary>Time of every entry; null keeps each file's own time, clamped to SOURCE_DATE_EPOCH where that is set.</summary>
    public DateTimeOffset? FixedTime { get; set; }
    /// <summary>Whether an existing file is replaced.</summary>
    public bool Overwrite { get; set; }
}
