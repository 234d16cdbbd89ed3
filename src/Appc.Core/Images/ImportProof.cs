using Appc.Trust;

namespace Appc.Images;

/// <summary>What the signatures of an archive say, once all its bytes were seen: who signed, or why nobody counts.</summary>
/// <param name="Verdict">The good signatures; null if there are none.</param>
/// <param name="Refusal">Why there are none; null if there are, or if nothing was asked.</param>
internal sealed record ImportProof(SignatureVerdict? Verdict, TrustException? Refusal)
{
    /// <summary>Nothing was asked.</summary>
    public static ImportProof None { get; } = new(null, null);

    public static ImportProof Of(TrustException refusal) => new(null, refusal);

    public static ImportProof From(ISignatureCheck check)
    {
        try
        {
            return new ImportProof(check.Complete(), null);
        }
        catch (TrustException e)
        {
            return Of(e);
        }
    }
}
