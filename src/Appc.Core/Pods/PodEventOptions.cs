namespace Appc.Pods;

/// <summary>Which events a subscription gets.</summary>
public sealed class PodEventOptions
{
    /// <summary>
    /// Whether the subscription begins with what has happened to the pods that are there, marked as
    /// <see cref="PodEvent.FromSnapshot"/>; what happens from then on follows without a gap.
    /// </summary>
    /// <value>The default value is <see langword="false"/>: only what happens from now on.</value>
    public bool Snapshot { get; set; }

    /// <summary>UUID, unique prefix of one, or name of the one pod to follow.</summary>
    /// <value>The default value is null: all pods.</value>
    public string? Pod { get; set; }

    /// <summary>
    /// How many events wait for a reader, about. A reader that is further behind loses none: what is true of a pod is
    /// told when there is room again.
    /// </summary>
    /// <value>The default value is 1024.</value>
    public int Capacity { get; set; } = 1024;
}
