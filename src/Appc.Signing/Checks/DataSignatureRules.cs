using Appc.Signing.Packets;
using Appc.Trust;

namespace Appc.Signing.Checks;

/// <summary>
/// Everything that is asked of a signature over an image, apart from the arithmetic: which signatures may
/// count at all, and whether the key could make them at the time that they state.
/// </summary>
internal static class DataSignatureRules
{
    /// <summary>Why a signature cannot count whoever made it; null if it can.</summary>
    public static Refusal? CheckForm(SignaturePacket signature, OpenPgpPolicy policy, DateTimeOffset now)
    {
        // A text signature covers the text with any line ends, so bytes of an archive could change under it.
        if (signature.Type != SignatureType.Binary)
        {
            return NotAcceptable(signature.Type == SignatureType.Text
                ? "it is a signature over text, which does not cover every byte"
                : $"it is of type 0x{(int)signature.Type:X2}, not a signature over a file");
        }

        if (OpenPgpHash.FindStrong(signature.Hash) is not { } hash)
        {
            return NotAcceptable($"it uses {OpenPgpHash.Describe(signature.Hash)}; SHA-256, SHA-384 and SHA-512 are accepted");
        }

        if (signature.Salt.Length != (signature.Version == 6 ? hash.SaltBytes : 0))
        {
            return NotAcceptable("its salt has a wrong size");
        }

        if (signature.UnknownCritical is { } unknown)
        {
            return NotAcceptable($"it depends on {unknown}, whose meaning is not known");
        }

        if (signature.Created is not { } created)
        {
            return NotAcceptable("it does not say when it was made");
        }

        if (created > now + policy.ClockTolerance)
        {
            return NotAcceptable($"it says that it was made in the future, at {created:yyyy-MM-dd HH:mm:ss}Z");
        }

        return signature.Expires <= now ? NotAcceptable($"it expired at {signature.Expires:yyyy-MM-dd HH:mm:ss}Z") : null;
    }

    /// <summary>Why a signature of acceptable form cannot be by a key; null if it can.</summary>
    public static Refusal? CheckKey(SignaturePacket signature, KeyPacket key, DateTimeOffset primaryCreated, KeyState state)
    {
        if (signature.IssuerFingerprint is { } named && !named.Span.SequenceEqual(key.FingerprintBytes))
        {
            return NotAcceptable("it names one key by id and another by fingerprint");
        }

        if (signature.Algorithm != key.Material.Algorithm)
        {
            return NotAcceptable($"it is by another algorithm than its key, {key.Material.Name}");
        }

        if (signature.Version != key.Version)
        {
            return NotAcceptable($"it has version {signature.Version}, its key has version {key.Version}");
        }

        if (state.Problem is { } problem)
        {
            return new Refusal(TrustFailure.KeyNotUsable, problem);
        }

        if (signature.Created < key.Created || signature.Created < primaryCreated)
        {
            return NotAcceptable("it says that it was made before its key was");
        }

        return signature.Created >= state.Expires ? NotAcceptable("it was made after its key had expired") : null;
    }

    private static Refusal NotAcceptable(string reason) => new(TrustFailure.SignatureNotAcceptable, reason);
}
