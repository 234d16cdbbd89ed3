using Appc.Trust;

namespace Appc.Signing.Checks;

/// <summary>Why a signature does not count.</summary>
internal sealed record Refusal(TrustFailure Failure, string Reason);
