using Appc.Manifests;
using Appc.Trust;

namespace Appc.Images;

/// <summary>How an archive is imported.</summary>
public sealed class ImportOptions
{
    /// <summary>What must be proven about the image.</summary>
    /// <value>The default value is null: the store's policy, <see cref="ImageStoreOptions.Trust"/>.</value>
    public TrustPolicy? Trust { get; set; }

    /// <summary>File of the detached signature.</summary>
    /// <value>The default value is null: the archive's path with <c>.asc</c> added.</value>
    public string? SignaturePath { get; set; }

    /// <summary>The name that the manifest must have; null takes any name that the key is trusted for.</summary>
    public AcIdentifier? ExpectedName { get; set; }

    /// <summary>Labels that the manifest must have.</summary>
    public IList<Label> ExpectedLabels { get; } = [];

    /// <summary>Labels whose value must be this one where the manifest has the label at all (the platform that was asked for).</summary>
    public IList<Label> CompatibleLabels { get; } = [];

    /// <summary>The id that the image must have; null takes any.</summary>
    public ImageId? ExpectedId { get; set; }

    /// <summary>What to remember as the place that the image came from; null means the path.</summary>
    public string? Source { get; set; }

    /// <summary>Whether the image was asked for without a version.</summary>
    public bool Latest { get; set; }

    /// <summary>Bounds on the archive.</summary>
    public ArchiveLimits Limits { get; set; } = new();
}
