namespace Appc.Stage1;

/// <summary>What a pod was asked to be, beyond its manifest. Kept in the pod's directory.</summary>
public sealed record Stage1Options
{
    /// <summary>Whether the pod runs in a user namespace of its own.</summary>
    /// <value>The default value is <see langword="true"/> for flavours that can.</value>
    public bool PrivateUsers { get; init; } = true;

    /// <summary>Host name inside; null means <c>appc-</c> and the UUID.</summary>
    public string? Hostname { get; init; }

    /// <summary>
    /// Whether the pod uses the host's network. Otherwise it has a network of its own that is connected to nothing.
    /// Flavours that cannot separate networks use the host's in any case.
    /// </summary>
    public bool HostNetwork { get; init; }

    /// <summary>What <c>/etc/hosts</c> of the apps is.</summary>
    /// <value>The default value is <see cref="HostsMode.Auto"/>.</value>
    public HostsMode Hosts { get; init; }

    /// <summary>
    /// Lines for <c>/etc/hosts</c>, an address and names each: <c>10.0.0.5 db db.example.com</c>. With any, the file is made
    /// also where the image has one, unless <see cref="Hosts"/> says <see cref="HostsMode.Image"/>.
    /// </summary>
    public IReadOnlyList<string> HostsEntries { get; init; } = [];

    /// <summary>What <c>/etc/resolv.conf</c> of the apps is.</summary>
    /// <value>The default value is <see cref="DnsMode.Auto"/>.</value>
    public DnsMode Dns { get; init; }

    /// <summary>
    /// Addresses of the name servers for <c>/etc/resolv.conf</c>. With any, the file is made of these and the other <c>Dns</c>
    /// options, also where the image has one, unless <see cref="Dns"/> says <see cref="DnsMode.Image"/>.
    /// </summary>
    public IReadOnlyList<string> DnsServers { get; init; } = [];

    /// <summary>Domains in which names are looked up, for a <c>/etc/resolv.conf</c> that is made.</summary>
    public IReadOnlyList<string> DnsSearch { get; init; } = [];

    /// <summary>Options of the resolver such as <c>ndots:2</c>, for a <c>/etc/resolv.conf</c> that is made.</summary>
    public IReadOnlyList<string> DnsOptions { get; init; } = [];

    /// <summary>
    /// Whether apps are told where the metadata service is, by the variable <c>AC_METADATA_URL</c>: <see cref="Metadata.MetadataService"/>
    /// must serve the data directory when the pod starts.
    /// </summary>
    /// <value>The default value is <see cref="MetadataMode.Auto"/>.</value>
    public MetadataMode Metadata { get; init; }

    /// <summary>Whether capabilities stay unrestricted (insecure).</summary>
    public bool KeepAllCapabilities { get; init; }

    /// <summary>Whether kernel paths stay visible and writable (insecure).</summary>
    public bool KeepKernelPaths { get; init; }

    /// <summary>Whether the system call filter is left out (insecure).</summary>
    public bool NoSeccomp { get; init; }

    /// <summary>
    /// Whether a fly pod has a control group of its own, <c>appc-UUID</c> below that of the program that starts it, also
    /// if nothing limits it: what it uses can be read there. Pods of nspawn always have one, limited pods of fly too.
    /// </summary>
    /// <value>The default value is <see langword="false"/>: it stays in the group of the program that starts it.</value>
    public bool OwnControlGroup { get; init; }

    /// <summary>
    /// Whether a fly pod has a small process of its own beside the app, which records how the app ended: then this is known
    /// even if the program that started the pod has ended before. Pods of nspawn always record it themselves.
    /// </summary>
    /// <value>The default value is <see langword="false"/>: the program that starts the pod records its end.</value>
    public bool RecordsOwnEnd { get; init; }

    /// <summary>
    /// How many bytes of each app's standard output, and as many of its standard error, are kept. What was written before is freed every
    /// two seconds by the pod's own systemd, in whole blocks, and so up to 64 KiB and two seconds of output more are there. With
    /// fly the program that started the pod does it; <see cref="Pods.PodRuntime.CollectGarbageAsync"/> does it for all. At least 65536.
    /// </summary>
    /// <value>The default value is null: nothing is freed.</value>
    public long? LogLimit { get; init; }

    /// <summary>
    /// Whether it is noted every two seconds how long the logs are, so that they can be read since a time (<see cref="Pods.LogOptions.Since"/>). The
    /// pod's own systemd does it; with fly, the program that started the pod.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool LogTimes { get; init; }

    /// <summary>
    /// How long an app that announces its readiness may take for it. When that is over it is stopped, and counts as
    /// failed.
    /// </summary>
    /// <value>The default value is null: there is no limit.</value>
    public TimeSpan? ReadyTimeout { get; init; }

    /// <summary>When the pod ends.</summary>
    public PodExitPolicy ExitPolicy { get; init; } = PodExitPolicy.FirstFailure;
}

/// <summary>When a pod of several apps ends.</summary>
public enum PodExitPolicy
{
    /// <summary>When the last app has ended, or the first one has failed (the others are then stopped).</summary>
    FirstFailure,

    /// <summary>When the last app has ended, however the others ended.</summary>
    LastExit,

    /// <summary>When any app has ended (the others are then stopped).</summary>
    AnyExit,
}
