namespace Appc.Fetching;

/// <summary>Why an image could not be found or brought here.</summary>
public enum FetchFailure
{
    /// <summary>The image reference cannot be parsed.</summary>
    BadReference,

    /// <summary>Discovery found no place that offers the image.</summary>
    DiscoveryFailed,

    /// <summary>The server answered with an error status.</summary>
    HttpStatus,

    /// <summary>The connection failed, was cut, or took too long.</summary>
    Network,

    /// <summary>The server's answer breaks a rule: too long, another length than promised, a forbidden redirect.</summary>
    BadResponse,

    /// <summary>Plain http or a plain file was met where the options do not allow it.</summary>
    NotAllowed,

    /// <summary>The pull policy forbids the network, and the image is not in the store.</summary>
    NotInStore,

    /// <summary>The images' dependencies run in a circle, or there are too many of them.</summary>
    BadDependencies,

    /// <summary>An option or a configuration file (certificates, credentials) cannot be used.</summary>
    Configuration,
}
