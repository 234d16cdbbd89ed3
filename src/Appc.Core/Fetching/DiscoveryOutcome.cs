namespace Appc.Fetching;

/// <summary>What came of one request of a discovery.</summary>
public enum DiscoveryOutcome
{
    /// <summary>The page has tags for the image.</summary>
    Found,

    /// <summary>The page has no discovery tags.</summary>
    NoTags,

    /// <summary>The page has discovery tags, but none that serves for this image.</summary>
    NoUsableTag,

    /// <summary>The server pointed elsewhere; the next attempt is that place.</summary>
    Redirected,

    /// <summary>The server answered with another status than 200.</summary>
    HttpStatus,

    /// <summary>No answer: the name does not resolve, the connection failed, TLS failed, or it took too long.</summary>
    Unreachable,

    /// <summary>The answer breaks a rule: too long, too many redirects, a redirect to plain http, an encoding that was not asked for.</summary>
    BadResponse,
}
