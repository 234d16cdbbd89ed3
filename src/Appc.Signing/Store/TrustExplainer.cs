using Appc.Manifests;
using Appc.Signing.Checks;
using Appc.Signing.Packets;

namespace Appc.Signing.Store;

/// <summary>Puts into words what the verifier would decide.</summary>
internal sealed class TrustExplainer(OpenPgpPolicy policy, DateTimeOffset now)
{
    public IReadOnlyList<KeyExplanation> Explain(KeystoreSnapshot snapshot, AcIdentifier name) =>
        snapshot.Records.Select(r => Explain(r, name))
            .OrderByDescending(k => k.Accepted)
            .ThenByDescending(k => k.Scope?.Length ?? -1)
            .ThenBy(k => k.Fingerprint, StringComparer.Ordinal).ToArray();

    private KeyExplanation Explain(KeyRecord record, AcIdentifier name)
    {
        Certificate? any = record.All.Select(e => e.Certificate).FirstOrDefault(c => c is not null);
        string? userId = any?.UserIds.Where(u => u.Tag == PacketTag.UserId).Select(u => CleanText.From(u.Body.Span)).FirstOrDefault();
        KeystoreEntry? entry = record.EntryFor(name);
        if (entry is null)
        {
            string scopes = record.Scopes.Count > 0 ? Keystore.DescribeScopes(record.Scopes) : "nothing";
            return new KeyExplanation(record.Fingerprint, userId, false, null, null, $"it is trusted for {scopes}, which does not cover {name}");
        }

        string? problem = entry.Problem is not null ? $"its file cannot be used: {entry.Problem}"
            : entry.Certificate is null ? "an empty file masks it"
            : RecordChecks.RevocationIn(record, c => new CertificateChecker(c, policy, now)) is { } revocation ? $"it is {revocation.Describe()}"
            : new OpenPgpKey(entry.Certificate, policy, now).Problem;
        return new KeyExplanation(
            record.Fingerprint, userId, problem is null, entry.Scope, CleanText.From(entry.Path),
            problem ?? $"it is trusted for {Keystore.DescribeScope(entry.Scope)}");
    }
}
