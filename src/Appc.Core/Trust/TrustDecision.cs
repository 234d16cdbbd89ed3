namespace Appc.Trust;

/// <summary>Why a stored image may run, as far as trust goes.</summary>
/// <param name="Basis">What the decision rests on.</param>
/// <param name="Signers">Those whose signatures count today; empty unless <see cref="TrustBasis.Signatures"/> is the basis.</param>
/// <param name="Reservation">
/// What would have been said against it, if the policy did not allow it anyway; null if nothing.
/// </param>
public sealed record TrustDecision(TrustBasis Basis, IReadOnlyList<SignatureSigner> Signers, TrustException? Reservation);
