using Appc.Manifests;

namespace Appc.Signing;

/// <summary>Which keys would be accepted for images of a name, and which not and why.</summary>
/// <param name="Name">The name.</param>
/// <param name="Keys">Every key of the keystore; accepted ones first, then by how near their scopes are.</param>
/// <param name="Problems">What was skipped in the keystore.</param>
public sealed record TrustExplanation(AcIdentifier Name, IReadOnlyList<KeyExplanation> Keys, IReadOnlyList<KeystoreProblem> Problems)
{
    /// <summary>Whether any key would be accepted.</summary>
    public bool AnyAccepted => Keys.Any(k => k.Accepted);
}
