namespace Appc.Pods;

/// <summary>How garbage is collected.</summary>
public sealed class GarbageOptions
{
    /// <summary>How long an ended pod stays after it was marked.</summary>
    /// <value>The default value is 30 minutes.</value>
    public TimeSpan GracePeriod { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How old a prepared pod that nobody ran may become.</summary>
    /// <value>The default value is 24 hours.</value>
    public TimeSpan ExpirePrepared { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Whether pods are only marked, not removed.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool MarkOnly { get; set; }
}
