namespace Appc.Stage1;

/// <summary>What <c>/etc/resolv.conf</c> of a pod's apps is. The image itself is never changed.</summary>
public enum DnsMode
{
    /// <summary>
    /// The image's; where it has none, or an empty one, a copy of the host's if the pod has the host's network, and none
    /// otherwise.
    /// </summary>
    Auto,

    /// <summary>A copy of the host's, as it is when the pod starts, in place of the image's.</summary>
    Host,

    /// <summary>The image's, or none.</summary>
    Image,
}
