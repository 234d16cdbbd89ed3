namespace Appc.Images;

/// <summary>What is removed when images are collected.</summary>
public sealed class ImageCollectOptions
{
    /// <summary>How long images and rendered trees stay after they were used last.</summary>
    /// <value>The default value is 24 hours. Zero removes all that nobody uses now.</value>
    public TimeSpan GracePeriod { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Whether nothing is removed, and the report tells what would be.</summary>
    /// <value>The default value is false.</value>
    public bool DryRun { get; set; }
}
