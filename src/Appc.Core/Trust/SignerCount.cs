using System.Globalization;
using Appc.Manifests;

namespace Appc.Trust;

/// <summary>Counts signers against a policy. The one place that decides whether signatures are enough.</summary>
internal static class SignerCount
{
    /// <summary>Begins a check, and refuses at once what cannot satisfy the policy whatever the bytes are.</summary>
    public static async Task<ISignatureCheck> BeginAsync(
        ISignatureVerifier verifier, TrustPolicy policy, Stream signature, AcIdentifier? name, CancellationToken cancellationToken)
    {
        ISignatureCheck check = await verifier.BeginAsync(signature, name, cancellationToken).ConfigureAwait(false);
        try
        {
            Require(policy, check.Candidates, name);
            return check;
        }
        catch
        {
            check.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The signers that vouch for an image of a name, the one with the most specific scope first. One key is one voice,
    /// however many subkeys it signed with.
    /// </summary>
    /// <param name="policy">The policy; it requires signatures.</param>
    /// <param name="signers">Those whose signatures are good, or would be.</param>
    /// <param name="name">The image's name; null while it is not known: then every scope counts.</param>
    /// <exception cref="TrustException">They are too few, or others than the policy names.</exception>
    public static IReadOnlyList<SignatureSigner> Require(TrustPolicy policy, IReadOnlyList<SignatureSigner> signers, AcIdentifier? name)
    {
        SignatureSigner[] trusted = name is null
            ? [.. signers]
            : [.. signers.Where(s => s.ScopeFor(name) is not null).OrderByDescending(s => s.ScopeFor(name)!.Length)];
        if (trusted.Length == 0)
        {
            throw WrongPrefix(signers[0], name!);
        }

        SignatureSigner[] counted = [.. trusted.Where(s => policy.Keys.Count == 0 || policy.Keys.Contains(s.PrimaryFingerprint)).DistinctBy(s => s.PrimaryFingerprint)];
        return counted.Length >= policy.Signers
            ? counted.Concat(trusted).Distinct().ToArray()
            : throw TooFew(policy, trusted, counted.Length);
    }

    private static TrustException WrongPrefix(SignatureSigner signer, AcIdentifier name)
    {
        string scopes = signer.Scopes.Count == 0 ? "no name" : string.Join(", ", signer.Scopes.Select(s => s.Length == 0 ? "every name" : s));
        return new TrustException(
            TrustFailure.WrongPrefix,
            $"the key {signer.PrimaryFingerprint}, which signed it, is trusted for {scopes} and not for {name}",
            $"if this key may sign {name}: appc trust add --prefix {name} KEYFILE");
    }

    private static TrustException TooFew(TrustPolicy policy, SignatureSigner[] trusted, int counted)
    {
        string keys = string.Join(", ", trusted.Select(s => s.PrimaryFingerprint).Distinct(StringComparer.Ordinal));
        string found = counted == 0 ? "none of them signed it" : string.Create(CultureInfo.InvariantCulture, $"{counted} signed it");
        return new TrustException(
            TrustFailure.TooFewSigners,
            $"the policy asks for {policy}, and {found}; trusted signatures are by {keys}",
            "have it signed by the other keys as well; several signatures go into one file, one after the other");
    }
}
