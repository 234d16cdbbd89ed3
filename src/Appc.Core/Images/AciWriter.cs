using Appc.Manifests;

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

/// <summary>Builds images, byte for byte reproducible.</summary>
public static class AciWriter
{
    /// <summary>Builds an image from a manifest and a directory that becomes its rootfs; returns its id.</summary>
    public static Task<ImageId> BuildAsync(ImageManifest manifest, string rootfsDirectory, string outputPath, AciBuildOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
