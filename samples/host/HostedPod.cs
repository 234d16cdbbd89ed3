namespace Appc.Samples;

/// <summary>A pod that the configuration names.</summary>
internal sealed class HostedPod
{
    /// <summary>Reference of its image: a name, an address or a file.</summary>
    public string Image { get; set; } = string.Empty;

    /// <summary>Whether it is started again when it has ended with a failure; otherwise the host ends then.</summary>
    public bool Restart { get; set; }

    /// <summary>How long to wait before it is started again, in seconds; doubled each time, up to a minute.</summary>
    public double RestartDelay { get; set; } = 1;
}
