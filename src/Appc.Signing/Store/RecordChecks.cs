using Appc.Signing.Checks;
using Appc.Signing.Packets;

namespace Appc.Signing.Store;

/// <summary>What all copies of a key in a keystore say together.</summary>
internal static class RecordChecks
{
    /// <summary>
    /// The revocation that any copy of the key carries, also one of another scope: a key that its owner gave up is
    /// given up everywhere, however old the other copies are.
    /// </summary>
    public static Revocation? RevocationIn(KeyRecord record, Func<Certificate, CertificateChecker> checkerFor) => record.All
        .Select(e => e.Certificate)
        .Where(c => c is not null)
        .Select(c => checkerFor(c!).Revocation)
        .FirstOrDefault(r => r is not null);
}
