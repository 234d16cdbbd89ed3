using System.Net;
using Appc.Pods;

namespace Appc.Metadata;

/// <summary>How <see cref="MetadataService"/> serves.</summary>
public sealed class MetadataServiceOptions
{
    /// <summary>
    /// Where the service listens in the host's network, for pods that have no network of their own; port 0 means one that is free, which
    /// pods that run cannot reach any more once the service was started again. Pods that have a network of their own need none of this: the service
    /// listens in there.
    /// </summary>
    /// <value>The default value is null: pods in the host's network have no metadata service.</value>
    public IPEndPoint? HostEndPoint { get; set; }

    /// <summary>The most bytes that a pod can have signed or verified at once, in the form in which they are posted.</summary>
    /// <value>The default value is 1 MiB.</value>
    public int MaxFormBytes { get; set; } = 1024 * 1024;

    /// <summary>How many connections each pod may have at once; those in the host's network have them together. More of them wait.</summary>
    /// <value>The default value is 32.</value>
    public int MaxConnections { get; set; } = 32;

    /// <summary>How long a connection may take for a request, and be idle between two of them.</summary>
    /// <value>The default value is 10 seconds.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The usual end point in the host's network: port 18112 of its loopback interface.</summary>
    public static IPEndPoint DefaultHostEndPoint => new(IPAddress.Loopback, PodMetadata.PodPort);
}
