using System.Security.Cryptography;
using Appc.Signing.Packets;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Signing.Checks;

/// <summary>
/// Hashes the image as it passes by, once for each hash algorithm that a signature needs, and verifies at the
/// end. The platform's hashes run at memory speed; the numbers of a signature are small.
/// </summary>
internal sealed class OpenPgpCheck : ISignatureCheck
{
    private readonly SignatureWork _work;
    private readonly ILogger _logger;
    private readonly Dictionary<(int Hash, string Salt), IncrementalHash> _digests = [];
    private bool _completed;

    public OpenPgpCheck(SignatureWork work, ILogger logger)
    {
        _work = work;
        _logger = logger;
        foreach (PlannedSignature planned in work.Signatures)
        {
            if (!_digests.ContainsKey(KeyOf(planned.Signature)))
            {
                var digest = IncrementalHash.CreateHash(OpenPgpHash.FindStrong(planned.Signature.Hash)!.Strong!.Value);
                digest.AppendData(planned.Signature.Salt.Span);
                _digests.Add(KeyOf(planned.Signature), digest);
            }
        }
    }

    public IReadOnlyList<SignatureSigner> Candidates =>
        _work.Signatures.SelectMany(p => p.Candidates.Select(c => Describe(c, p.Signature))).DistinctBy(IdentityOf).ToArray();

    public void Append(ReadOnlyMemory<byte> data)
    {
        ObjectDisposedException.ThrowIf(_digests.Count == 0, this);
        if (_completed)
        {
            throw new InvalidOperationException("the check is complete; nothing can be appended");
        }

        foreach (IncrementalHash digest in _digests.Values)
        {
            digest.AppendData(data.Span);
        }
    }

    public SignatureVerdict Complete()
    {
        ObjectDisposedException.ThrowIf(_digests.Count == 0, this);
        if (_completed)
        {
            throw new InvalidOperationException("the check is complete already");
        }

        _completed = true;
        var signers = new List<SignatureSigner>();
        var refusals = new List<TrustException>(_work.Refusals);
        foreach (PlannedSignature planned in _work.Signatures)
        {
            OpenPgpHash algorithm = OpenPgpHash.FindStrong(planned.Signature.Hash)!;
            using IncrementalHash digest = _digests[KeyOf(planned.Signature)].Clone();
            digest.AppendData(planned.Signature.Trailer());
            byte[] value = digest.GetHashAndReset();
            Candidate? good = planned.Candidates.FirstOrDefault(c => SignatureMath.Verify(c.Key, planned.Signature, algorithm, value));
            if (good is null)
            {
                refusals.Add(new TrustException(
                    TrustFailure.BadSignature,
                    $"the signature of {SignaturePlan.Describe(_work.ImageName)} by key {planned.Candidates[0].Key.Fingerprint} does not fit its bytes",
                    "the image or the signature was changed or damaged, or they do not belong together; fetch both again"));
            }
            else
            {
                signers.Add(Describe(good, planned.Signature));
            }
        }

        if (signers.Count == 0)
        {
            TrustException refusal = SignaturePlan.MostTelling(refusals);
            _logger.SignatureRefused(refusal.Failure, refusal.Message);
            throw refusal;
        }

        foreach (SignatureSigner signer in signers)
        {
            _logger.GoodSignature(signer.Fingerprint, signer.Algorithm, signer.Created);
        }

        return new SignatureVerdict(signers.DistinctBy(IdentityOf).ToArray());
    }

    public void Dispose()
    {
        foreach (IncrementalHash digest in _digests.Values)
        {
            digest.Dispose();
        }

        _digests.Clear();
    }

    private static (int, string) KeyOf(SignaturePacket signature) => (signature.Hash, Convert.ToHexString(signature.Salt.Span));

    /// <summary>A signature by a key: one key may have signed twice, and one of these may expire.</summary>
    private static (string, string, DateTimeOffset) IdentityOf(SignatureSigner signer) =>
        (signer.Fingerprint, signer.PrimaryFingerprint, signer.Created);

    private static SignatureSigner Describe(Candidate signer, SignaturePacket signature) => new(
        signer.Key.Fingerprint,
        signer.Certificate.Fingerprint,
        signer.Certificate.UserIds.Where(u => u.Tag == PacketTag.UserId).Select(u => CleanText.From(u.Body.Span)).FirstOrDefault(),
        signature.Created!.Value,
        $"{signer.Key.Material.Name}/{OpenPgpHash.Describe(signature.Hash)}",
        signer.Scopes)
    {
        MaskedScopes = signer.MaskedScopes,
    };
}
