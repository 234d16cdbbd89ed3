namespace Appc.Stage1;

/// <summary>What <c>/etc/hosts</c> of a pod's apps is. The image itself is never changed.</summary>
public enum HostsMode
{
    /// <summary>The image's; where it has none, or an empty one, one with <c>localhost</c> and the pod's host name.</summary>
    Auto,

    /// <summary>One with <c>localhost</c> and the pod's host name, in place of the image's.</summary>
    Generate,

    /// <summary>A copy of the host's, as it is when the pod starts.</summary>
    Host,

    /// <summary>The image's, or none.</summary>
    Image,
}
