using Appc.Linux;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Images;

/// <content>Trust in what is stored, looked at again.</content>
public sealed partial class ImageStore
{
    /// <summary>
    /// Whether a policy lets a stored image run today: the keys that signed it are looked up anew, and must still be
    /// there, current, not revoked, and trusted for its name. The archive is not read again, so this costs the same
    /// for images of every size. Only the image itself is looked at, not those that it depends on.
    /// </summary>
    /// <param name="id">The image.</param>
    /// <param name="policy">What must be proven; null means <see cref="Trust"/>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>What the trust rests on.</returns>
    /// <exception cref="TrustException">The image may not run.</exception>
    /// <exception cref="ImageException">It is not in the store, or its files are damaged.</exception>
    public async Task<TrustDecision> CheckTrustAsync(ImageId id, TrustPolicy? policy = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        return await CheckTrustAsync(await GetAsync(id, cancellationToken).ConfigureAwait(false), policy ?? Trust, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same for an image that was just looked up.</summary>
    internal async Task<TrustDecision> CheckTrustAsync(StoredImage image, TrustPolicy policy, CancellationToken cancellationToken)
    {
        ImageId id = image.Id;
        TrustException refusal;
        while (true)
        {
            try
            {
                IReadOnlyList<SignatureSigner> signers = await RequireSignersAsync(image, policy, cancellationToken).ConfigureAwait(false);
                return new TrustDecision(TrustBasis.Signatures, signers, null);
            }
            catch (TrustException e)
            {
                refusal = e;
            }

            if (!policy.SignatureRequired)
            {
                break;
            }

            // Another process may be exchanging the signature for a newer one.
            StoredImage again = await GetAsync(id, cancellationToken).ConfigureAwait(false);
            if (again.Provenance.Checked == image.Provenance.Checked)
            {
                break;
            }

            image = again;
        }

        if (policy.Allows(id))
        {
            return new TrustDecision(TrustBasis.ImageId, [], refusal);
        }

        if (!policy.SignatureRequired)
        {
            return new TrustDecision(TrustBasis.Nothing, [], refusal);
        }

        throw new TrustException(
            refusal.Failure, $"the image {image.Manifest.Name} ({id.ToString()[..19]}) is not trusted: {refusal.Message}", refusal.Hint, refusal);
    }

    private async Task<IReadOnlyList<SignatureSigner>> RequireSignersAsync(StoredImage image, TrustPolicy policy, CancellationToken cancellationToken)
    {
        if (image.Provenance.Basis != TrustBasis.Signatures)
        {
            throw new TrustException(
                TrustFailure.Unsigned,
                image.Provenance.Insecure ? "it was stored without a signature check" : "it was stored for its id, without a signature that suffices",
                "fetch it again with its signature, or allow it for this call (--insecure-options=image, TrustPolicy.Insecure)");
        }

        ISignatureVerifier verifier = _options.Verifier ?? throw new TrustException(
            TrustFailure.NoVerifier,
            "its signers cannot be looked up, since this program has nothing that checks signatures",
            "configure a verifier (UseOpenPgp of Appc.Signing)");
        using MemoryStream signature = new(ReadSignature(image), writable: false);
        using ISignatureCheck check = await verifier.BeginAsync(signature, image.Manifest.Name, cancellationToken).ConfigureAwait(false);

        // The signature file may hold more signatures than were found good when the bytes were there. A key that
        // has become trusted since has never been proven to fit them.
        SignatureSigner[] signers = [.. check.Candidates.Where(c => image.Provenance.Signers.Any(
            s => s.Fingerprint == c.Fingerprint && s.PrimaryFingerprint == c.PrimaryFingerprint && s.Created == c.Created))];
        return signers.Length > 0
            ? SignerCount.Require(TrustPolicyFor(policy), signers, image.Manifest.Name)
            : throw new TrustException(
                TrustFailure.KeyNotUsable,
                $"none of the keys that signed it when it was stored is accepted any more: {string.Join(", ", image.Provenance.Signers.Select(s => s.PrimaryFingerprint).Distinct())}",
                $"see 'appc trust explain {image.Manifest.Name}'; fetch it again if somebody else has signed it since");
    }

    /// <summary>What signatures would have to say under a policy that does not ask for any.</summary>
    private static TrustPolicy TrustPolicyFor(TrustPolicy policy) => policy.SignatureRequired ? policy : TrustPolicy.RequireSignature;

    /// <summary>At once, not by a thread of the pool: handing so little over takes longer than reading it.</summary>
    private static byte[] ReadSignature(StoredImage image)
    {
        string path = image.ArchivePath + ".asc";
        try
        {
            return SmallFile.TryReadContent(path) ?? throw new FileNotFoundException($"{path} is not there");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrustException(
                TrustFailure.Unsigned, $"its signature cannot be read any more: {e.Message}", "remove the image and fetch it again", e);
        }
    }
}
