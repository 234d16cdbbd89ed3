using Appc.Trust;

namespace Appc.Images;

/// <summary>Where an image came from, when, under which name, and who vouched for it.</summary>
public sealed record ImageProvenance
{
    /// <summary>The file or URL that the archive came from.</summary>
    public required string Source { get; init; }

    /// <summary>When it was imported.</summary>
    public required DateTimeOffset Imported { get; init; }

    /// <summary>Whether it was asked for without a version, so that it counts as the latest of its name.</summary>
    public bool Latest { get; init; }

    /// <summary>Whether it was stored without a signature check. Only another import of it, with a good signature, changes that.</summary>
    public bool Insecure { get; init; }

    /// <summary>Who signed it and for which scope the key was trusted; null if it was not checked.</summary>
    public SignatureSigner? Signer { get; init; }
}
