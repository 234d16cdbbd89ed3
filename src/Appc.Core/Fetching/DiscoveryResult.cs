namespace Appc.Fetching;

/// <summary>What discovery found, and all that it did to find it.</summary>
public sealed record DiscoveryResult
{
    /// <summary>The places that offer the image, the first being the one to try first; empty if none was found.</summary>
    public IReadOnlyList<DiscoveredImage> Images { get; init; } = [];

    /// <summary>The addresses of public keys; empty if none was found.</summary>
    public IReadOnlyList<string> PublicKeys { get; init; } = [];

    /// <summary>Every request, in order, and what came of it.</summary>
    public IReadOnlyList<DiscoveryAttempt> Tried { get; init; } = [];
}
