using Appc.Manifests;
using Appc.Signing.Packets;
using Appc.Signing.Store;
using Appc.Trust;

namespace Appc.Signing.Checks;

/// <summary>
/// Sorts the signatures of a file before the image is there: which of them could be good, with which keys, and
/// why the others cannot count.
/// </summary>
internal sealed class SignaturePlan(
    KeystoreSnapshot snapshot, IReadOnlyList<string> directories, OpenPgpPolicy policy, AcIdentifier? imageName, DateTimeOffset now)
{
    private readonly Dictionary<Certificate, CertificateChecker> _checkers = [];
    private readonly List<PlannedSignature> _planned = [];
    private readonly List<TrustException> _refusals = [];

    public AcIdentifier? ImageName => imageName;

    public static string Describe(AcIdentifier? name) => name is null ? "the image" : $"image {name}";

    /// <param name="signature">A signature; null for one that cannot be read.</param>
    public void Add(SignaturePacket? signature)
    {
        if (signature is null)
        {
            Refuse(TrustFailure.MalformedSignature, "cannot be read: a packet in it is damaged or of a kind that is not known");
            return;
        }

        List<(KeyRecord Record, KeystoreEntry Entry, KeyPacket Key, SubkeyBlock? Subkey)> named = [.. FindNamed(signature)];
        if (named.Count == 0)
        {
            if (FindHidden(signature) is { } hidden)
            {
                RefuseScope(hidden);
            }
            else
            {
                RefuseUnknown(signature);
            }

            return;
        }

        var allowed = named.Where(n => IsTrustedHere(n.Record)).ToList();
        if (allowed.Count == 0)
        {
            RefuseScope(named[0].Record);
            return;
        }

        if (DataSignatureRules.CheckForm(signature, policy, now) is { } form)
        {
            Refuse(form.Failure, $"by key {allowed[0].Key.Fingerprint} is not acceptable: {form.Reason}");
            return;
        }

        var candidates = new List<Candidate>();
        foreach (var group in allowed.GroupBy(a => (a.Record, a.Key.Fingerprint)))
        {
            AddCandidates(signature, group.Key.Record, [.. group.Select(g => (g.Entry, g.Key, g.Subkey))], candidates);
        }

        if (candidates.Count > 0)
        {
            _planned.Add(new PlannedSignature(signature, candidates));
        }
    }

    /// <summary>What remains to be computed over the image.</summary>
    /// <exception cref="TrustException">Nothing does: no signature of the file can be good.</exception>
    public SignatureWork Finish() => _planned.Count > 0
        ? new SignatureWork(imageName, _planned, _refusals)
        : throw MostTelling(_refusals);

    /// <summary>The refusal that helps most: the nearer a signature came to being accepted, the more its fault matters.</summary>
    public static TrustException MostTelling(IEnumerable<TrustException> refusals) => refusals.MinBy(r => r.Failure switch
    {
        TrustFailure.BadSignature => 0,
        TrustFailure.KeyNotUsable => 1,
        TrustFailure.SignatureNotAcceptable => 2,
        TrustFailure.WrongPrefix => 3,
        TrustFailure.UnknownKey => 4,
        _ => 5,
    })!;

    private bool IsTrustedHere(KeyRecord record) => imageName is null
        ? record.Scopes.Count > 0
        : record.EntryFor(imageName)?.Certificate is not null;

    /// <summary>Every key of the keystore with the id that a signature names. Ids are short, so there may be several.</summary>
    private IEnumerable<(KeyRecord, KeystoreEntry, KeyPacket, SubkeyBlock?)> FindNamed(SignaturePacket signature)
    {
        foreach (KeyRecord record in snapshot.Records)
        {
            foreach (KeystoreEntry entry in record.Effective.Where(e => e.Certificate is not null))
            {
                Certificate certificate = entry.Certificate!;
                if (certificate.Primary.IsNamedBy(signature))
                {
                    yield return (record, entry, certificate.Primary, null);
                }

                foreach (SubkeyBlock subkey in certificate.Subkeys.Where(s => s.Key.IsNamedBy(signature)))
                {
                    yield return (record, entry, subkey.Key, subkey);
                }
            }
        }
    }

    /// <summary>The key that a signature names, where the keystore mentions it only to take its trust away.</summary>
    private KeyRecord? FindHidden(SignaturePacket signature) => snapshot.Records.FirstOrDefault(r =>
        (imageName is null || r.EntryFor(imageName) is not null)
        && ((signature.IssuerFingerprint is { } fingerprint && r.Fingerprint == Convert.ToHexStringLower(fingerprint.Span))
            || r.All.Any(e => e.Certificate is { } c && c.Subkeys.Select(s => s.Key).Append(c.Primary).Any(k => k.IsNamedBy(signature)))));

    /// <summary>
    /// One candidate for each key, with the scopes whose copy of the key allows the signature: an administrator
    /// may have updated the copy of one scope and not that of another.
    /// </summary>
    private void AddCandidates(
        SignaturePacket signature, KeyRecord record, List<(KeystoreEntry Entry, KeyPacket Key, SubkeyBlock? Subkey)> copies, List<Candidate> candidates)
    {
        if (RecordChecks.RevocationIn(record, CheckerFor) is { } revocation)
        {
            Refuse(TrustFailure.KeyNotUsable, $"is by key {record.Fingerprint}, which cannot be used: it is {revocation.Describe()}");
            return;
        }

        var scopes = new List<string>();
        Refusal? refusal = null;
        KeystoreEntry? deciding = imageName is null ? null : record.EntryFor(imageName);
        foreach ((KeystoreEntry entry, KeyPacket key, SubkeyBlock? subkey) in copies)
        {
            CertificateChecker checker = CheckerFor(entry.Certificate!);
            KeyState state = subkey is null ? checker.Primary : checker.Subkey(subkey);
            Refusal? found = DataSignatureRules.CheckKey(signature, key, entry.Certificate!.Primary.Created, state);
            if (found is null)
            {
                scopes.Add(entry.Scope);
            }
            else if (refusal is null || entry == deciding)
            {
                refusal = found;
            }
        }

        KeyPacket first = copies[0].Key;
        if (deciding is null ? scopes.Count > 0 : scopes.Contains(deciding.Scope))
        {
            // A scope whose own copy of the key refuses must not fall back to a wider scope whose copy does not.
            candidates.Add(new Candidate(
                first, copies[0].Entry.Certificate!, scopes, record.Effective.Select(e => e.Scope).Except(scopes).ToArray()));
            return;
        }

        refusal ??= new Refusal(TrustFailure.KeyNotUsable, $"the copy of its primary key in {CleanText.From(deciding!.Path)} lacks it");
        Refuse(refusal.Failure, refusal.Failure == TrustFailure.KeyNotUsable
            ? $"is by key {first.Fingerprint}, which cannot be used: {refusal.Reason}"
            : $"by key {first.Fingerprint} is not acceptable: {refusal.Reason}");
    }

    private CertificateChecker CheckerFor(Certificate certificate)
    {
        if (!_checkers.TryGetValue(certificate, out CertificateChecker? checker))
        {
            checker = new CertificateChecker(certificate, policy, now);
            _checkers.Add(certificate, checker);
        }

        return checker;
    }

    private void RefuseUnknown(SignaturePacket signature)
    {
        string key = signature.IssuerFingerprint is { } fingerprint ? Convert.ToHexStringLower(fingerprint.Span)
            : signature.IssuerKeyId is { } id ? $"with id {id:x16}"
            : "that it does not name";
        string store = snapshot.Records.Count == 0 ? $"; the keystore ({string.Join(", ", directories)}) holds no key at all" : "";
        Refuse(
            TrustFailure.UnknownKey, $"is by key {key}, which is not trusted{store}",
            $"if that key may sign it: appc trust add --prefix {imageName?.ToString() ?? "NAME"} KEYFILE");
    }

    private void RefuseScope(KeyRecord record)
    {
        KeystoreEntry? entry = imageName is null ? record.Effective[0] : record.EntryFor(imageName);
        string message = entry is not null
            ? $"is by key {record.Fingerprint}, whose trust {CleanText.From(entry.Path)} takes away{(entry.Problem is null ? "" : $": {entry.Problem}")}"
            : $"is by key {record.Fingerprint}, which is trusted for {Keystore.DescribeScopes(record.Scopes)} only";
        Refuse(
            TrustFailure.WrongPrefix, message,
            $"if that key may sign it: appc trust add --prefix {imageName?.ToString() ?? "NAME"} KEYFILE");
    }

    private void Refuse(TrustFailure failure, string what, string? hint = null) =>
        _refusals.Add(new TrustException(failure, $"the signature of {Describe(imageName)} {what}", hint));
}
