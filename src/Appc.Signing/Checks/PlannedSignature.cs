using Appc.Signing.Packets;

namespace Appc.Signing.Checks;

/// <summary>A key that may have made a signature, and the scopes that it would be trusted for.</summary>
internal sealed record Candidate(
    KeyPacket Key, Certificate Certificate, IReadOnlyList<string> Scopes, IReadOnlyList<string> MaskedScopes);

/// <summary>A signature of acceptable form with the keys that may have made it.</summary>
internal sealed record PlannedSignature(SignaturePacket Signature, IReadOnlyList<Candidate> Candidates);
