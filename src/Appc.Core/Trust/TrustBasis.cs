namespace Appc.Trust;

/// <summary>What the trust in a stored image rests on.</summary>
public enum TrustBasis
{
    /// <summary>Signatures by keys that are trusted for the image's name.</summary>
    Signatures,

    /// <summary>The image's id, which the policy names.</summary>
    ImageId,

    /// <summary>Nothing but the word of the caller, who asked for no proof.</summary>
    Nothing,
}
