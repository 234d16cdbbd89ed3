using Appc.Manifests;
using Appc.Trust;

namespace Appc.Signing.Checks;

/// <summary>What is left to do once the image's bytes arrive.</summary>
/// <param name="ImageName">The name that was asked for; null if only the manifest will tell.</param>
/// <param name="Signatures">The signatures that may be good; never empty.</param>
/// <param name="Refusals">Why the others are not.</param>
internal sealed record SignatureWork(
    AcIdentifier? ImageName, IReadOnlyList<PlannedSignature> Signatures, IReadOnlyList<TrustException> Refusals);
