namespace Appc.Fetching;

/// <summary>How image discovery looks for an image.</summary>
public sealed class DiscoveryOptions
{
    /// <summary>Whether plain http is tried where https fails.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool AllowHttp { get; set; }

    /// <summary>Whether addresses of the image are looked for.</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool Images { get; set; } = true;

    /// <summary>Whether addresses of public keys are looked for, which may take requests of its own.</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool PublicKeys { get; set; } = true;

    /// <summary>Whether os and arch get a value where the reference has none.</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool DefaultPlatform { get; set; } = true;

    /// <summary>Value of the os label where the reference has none.</summary>
    /// <value>The default value is null: the host's.</value>
    public string? Os { get; set; }

    /// <summary>Value of the arch label where the reference has none.</summary>
    /// <value>The default value is null: the host's.</value>
    public string? Arch { get; set; }

    /// <summary>
    /// Whether the address of simple discovery, <c>https://{name}-{version}-{os}-{arch}.{ext}</c>, is offered before all others.
    /// The specification had it before version 0.8.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool SimpleDiscovery { get; set; }
}
