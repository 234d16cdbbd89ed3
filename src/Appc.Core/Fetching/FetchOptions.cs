using Appc.Images;
using Appc.Trust;

namespace Appc.Fetching;

/// <summary>How an image is fetched.</summary>
public sealed class FetchOptions
{
    /// <summary>What must be proven about the image and each of its dependencies.</summary>
    /// <value>The default value is null: the store's policy, which requires a signature unless the host chose another.</value>
    public TrustPolicy? Trust { get; set; }

    /// <summary>When the network is asked.</summary>
    /// <value>The default value is <see cref="PullPolicy.New"/>.</value>
    public PullPolicy PullPolicy { get; set; } = PullPolicy.New;

    /// <summary>Whether plain http may be used where https does not answer, and for http URLs.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool AllowHttp { get; set; }

    /// <summary>A local signature file to use for the image (not for its dependencies) instead of the one beside it.</summary>
    /// <value>The default value is null: the signature is looked for where the image is.</value>
    public string? SignaturePath { get; set; }

    /// <summary>Value of the os label for names that give none.</summary>
    /// <value>The default value is null: the host's.</value>
    public string? Os { get; set; }

    /// <summary>Value of the arch label for names that give none, in the specification's terms (amd64, aarch64).</summary>
    /// <value>The default value is null: the host's.</value>
    public string? Arch { get; set; }

    /// <summary>Whether the images that the image depends on are fetched too.</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool Dependencies { get; set; } = true;

    /// <summary>Largest number of images that one call may bring in as dependencies, direct and indirect.</summary>
    /// <value>The default value is 128.</value>
    public int MaxDependencies { get; set; } = 128;

    /// <summary>Bounds on the archive.</summary>
    public ArchiveLimits Limits { get; set; } = new();

    /// <summary>Largest download of one archive, in bytes.</summary>
    /// <value>The default value is 16 GiB.</value>
    public long DownloadBytes { get; set; } = 16L << 30;
}
