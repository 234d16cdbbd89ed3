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

    /// <summary>Whether it was stored without a check. Only another import of it that proves the very same image changes that.</summary>
    public bool Insecure { get; init; }

    /// <summary>The policy that it was checked under; null where that was not written down.</summary>
    public TrustPolicy? Policy { get; init; }

    /// <summary>When it was checked; null if it was not.</summary>
    public DateTimeOffset? Checked { get; init; }

    /// <summary>
    /// Who signed it with keys that were trusted for its name, the most specific scope first; empty if it was not
    /// checked, or was stored for its id alone.
    /// </summary>
    public IReadOnlyList<SignatureSigner> Signers { get; init; } = [];

    /// <summary>The first of <see cref="Signers"/>; null if there is none.</summary>
    public SignatureSigner? Signer => Signers.Count > 0 ? Signers[0] : null;

    /// <summary>What vouched for it when it was stored.</summary>
    public TrustBasis Basis => Signers.Count > 0 ? TrustBasis.Signatures : Insecure ? TrustBasis.Nothing : TrustBasis.ImageId;
}
