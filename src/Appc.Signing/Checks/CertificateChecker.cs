using System.Buffers.Binary;
using Appc.Signing.Packets;

namespace Appc.Signing.Checks;

/// <summary>
/// Finds out what a certificate's keys may do at one moment, by verifying its own signatures. Packets that
/// do not verify under the primary key say nothing, whoever put them there.
/// </summary>
internal sealed class CertificateChecker
{
    /// <summary>Flag of a key that may sign data (RFC 9580, 5.2.3.29).</summary>
    private const int SignFlag = 0x02;

    /// <summary>More than an honest key needs, and few enough that a stuffed one costs little.</summary>
    private const int MaxVerifications = 512;

    private readonly OpenPgpPolicy _policy;
    private readonly DateTimeOffset _now;
    private readonly Dictionary<KeyPacket, KeyState> _subkeys = [];
    private KeyState? _whole;
    private Revocation? _revocation;
    private bool _soughtRevocation;
    private KeyState? _primary;
    private SignaturePacket[] _selfSignatures = [];
    private int _verifications;

    public CertificateChecker(Certificate certificate, OpenPgpPolicy policy, DateTimeOffset now)
    {
        Certificate = certificate;
        _policy = policy;
        _now = now;
    }

    public Certificate Certificate { get; }

    private KeyPacket PrimaryKey => Certificate.Primary;

    /// <summary>The state that all keys of the certificate share: strength, revocation and expiry of the primary key.</summary>
    public KeyState Whole => _whole ??= CheckWhole();

    /// <summary>The revocation of the whole key; null if there is none. Keys that are too weak are not looked into.</summary>
    public Revocation? Revocation
    {
        get
        {
            if (!_soughtRevocation)
            {
                _soughtRevocation = true;
                _revocation = PrimaryKey.Material.Weakness(_policy) is not null ? null
                    : FindRevocation(Certificate.DirectSignatures, SignatureType.KeyRevocation, VerifyDirect) ?? FindClaimedRevocation();
            }

            return _revocation;
        }
    }

    /// <summary>The state of the primary key as a signing key.</summary>
    public KeyState Primary => _primary ??= Whole.Problem is null && FlagsOfPrimary() is { } flags && (flags & SignFlag) == 0
        ? Whole with { Problem = "the primary key is not meant for signing data" }
        : Whole;

    /// <summary>The state of a subkey as a signing key.</summary>
    public KeyState Subkey(SubkeyBlock subkey)
    {
        if (!_subkeys.TryGetValue(subkey.Key, out KeyState? state))
        {
            state = CheckSubkey(subkey);
            _subkeys.Add(subkey.Key, state);
        }

        return state;
    }

    private KeyState CheckWhole()
    {
        if (PrimaryKey.Material.Weakness(_policy) is { } weakness)
        {
            return new KeyState(weakness, null, null);
        }

        Revocation? revocation = Revocation;
        _selfSignatures = [.. FindSelfSignatures().OrderByDescending(s => s.Created)];
        uint? lifetime = _selfSignatures.Select(s => s.KeyExpiration).FirstOrDefault(e => e is not null);
        DateTimeOffset? expires = lifetime is > 0 ? PrimaryKey.Created.AddSeconds(lifetime.Value) : null;

        string? problem = revocation is not null ? $"it is {revocation.Describe()}"
            : _selfSignatures.Length == 0 ? $"it has no valid self-signature{WeakHashNote(SelfSignaturePackets())}"
            : expires <= _now ? $"it expired on {expires:yyyy-MM-dd}"
            : null;
        return new KeyState(problem, expires, revocation);
    }

    private int? FlagsOfPrimary() => _selfSignatures.Select(s => s.KeyFlags).FirstOrDefault(f => f is not null);

    private IEnumerable<SignaturePacket> SelfSignaturePackets() => Certificate.DirectSignatures
        .Where(s => s.Type == SignatureType.DirectKey)
        .Concat(Certificate.UserIds.SelectMany(u => u.Signatures).Where(IsCertification));

    /// <summary>The newest valid self-signature over the key, and over each user id that is not revoked.</summary>
    private IEnumerable<SignaturePacket> FindSelfSignatures()
    {
        SignaturePacket? direct = NewestValid(
            Certificate.DirectSignatures.Where(s => s.Type == SignatureType.DirectKey),
            VerifyDirect);
        if (direct is not null)
        {
            yield return direct;
        }

        foreach (UserIdBlock userId in Certificate.UserIds)
        {
            bool Verify(SignaturePacket s) => Certificate.Verifies(s, s => CertificationDigest.VerifyOverUserId(PrimaryKey, s, PrimaryKey, userId));
            SignaturePacket? certification = NewestValid(userId.Signatures.Where(IsCertification), Verify);
            if (certification is null)
            {
                continue;
            }

            bool revoked = userId.Signatures.Any(s => s.Type == SignatureType.CertificationRevocation
                && !(s.Created < certification.Created) && MayBeBy(PrimaryKey, s) && (!Spend() || Verify(s)));
            if (!revoked)
            {
                yield return certification;
            }
        }
    }

    private KeyState CheckSubkey(SubkeyBlock block)
    {
        KeyPacket subkey = block.Key;
        if (Whole.Problem is not null)
        {
            return Whole;
        }

        if (subkey.Version != PrimaryKey.Version)
        {
            return Bad("the subkey is of another version than its primary key");
        }

        if (subkey.Material.Weakness(_policy) is { } weakness)
        {
            return Bad(weakness);
        }

        bool Verify(SignaturePacket s) => Certificate.Verifies(s, s => CertificationDigest.VerifyOverSubkey(PrimaryKey, s, PrimaryKey, subkey));
        Revocation? revocation = FindRevocation(block.Signatures, SignatureType.SubkeyRevocation, Verify);
        IEnumerable<SignaturePacket> bindings = block.Signatures.Where(s => s.Type == SignatureType.SubkeyBinding);
        SignaturePacket? binding = NewestValid(bindings, Verify);
        if (binding is null)
        {
            return new KeyState($"the primary key does not vouch for the subkey{WeakHashNote(bindings)}", null, revocation);
        }

        DateTimeOffset? expires = binding.KeyExpiration is uint lifetime and > 0 ? subkey.Created.AddSeconds(lifetime) : null;
        string? problem = revocation is not null ? $"the subkey is {revocation.Describe()}"
            : (binding.KeyFlags & SignFlag) != SignFlag ? "the subkey is not meant for signing data"
            : !HasBackSignature(binding, subkey) ? "the subkey does not acknowledge its primary key by a back signature"
            : expires <= _now ? $"the subkey expired on {expires:yyyy-MM-dd}"
            : null;
        if (Whole.Expires is { } whole && (expires is null || whole < expires))
        {
            expires = whole;
        }

        return new KeyState(problem, expires, revocation);

        static KeyState Bad(string problem) => new(problem, null, null);
    }

    /// <summary>
    /// A signing subkey must sign its primary key in turn: otherwise somebody could adopt a stranger's subkey and
    /// claim the signatures that it made.
    /// </summary>
    private bool HasBackSignature(SignaturePacket binding, KeyPacket subkey) => binding.EmbeddedSignatures.Any(
        back => back.Type == SignatureType.PrimaryKeyBinding && MayGiveRights(back, subkey)
            && Spend() && Certificate.Verifies(back, s => CertificationDigest.VerifyOverSubkey(subkey, s, PrimaryKey, subkey)));

    /// <summary>The newest signature that verifies. A newer one replaces what older ones said, so only it counts.</summary>
    private SignaturePacket? NewestValid(IEnumerable<SignaturePacket> signatures, Func<SignaturePacket, bool> verify) =>
        signatures.Where(s => MayGiveRights(s, PrimaryKey) && MayBeBy(PrimaryKey, s))
            .OrderByDescending(s => s.Created)
            .FirstOrDefault(s => Spend() && verify(s));

    /// <summary>
    /// What a signature needs before it can say anything good about a key. A key from the future has none: its
    /// signatures would have to be older than the key.
    /// </summary>
    private bool MayGiveRights(SignaturePacket signature, KeyPacket signer) =>
        signature.Version == signer.Version
        && OpenPgpHash.FindStrong(signature.Hash) is { } hash
        && signature.Salt.Length == (signature.Version == 6 ? hash.SaltBytes : 0)
        && signature.UnknownCritical is null
        && signature.Created is { } created && created >= signer.Created && created <= _now + _policy.ClockTolerance
        && !(signature.Expires <= _now);

    /// <summary>
    /// A revocation takes rights away, so little is asked of it beyond being the key's own: weak hashes, old
    /// versions, odd dates and critical subpackets do not void it.
    /// </summary>
    private Revocation? FindRevocation(IEnumerable<SignaturePacket> signatures, SignatureType type, Func<SignaturePacket, bool> verify)
    {
        SignaturePacket? found = signatures
            .Where(s => s.Type == type && MayBeBy(PrimaryKey, s))
            .FirstOrDefault(s => Spend() && verify(s));
        return found is null ? null : Revocation.From(found);
    }

    /// <summary>
    /// A revocation by a key that the owner named for that (a designated revoker). That key is nowhere here, so its
    /// signature cannot be verified; to take it at its word is the safe side.
    /// </summary>
    private Revocation? FindClaimedRevocation()
    {
        SignaturePacket[] others = [.. Certificate.DirectSignatures.Where(s => s.Type == SignatureType.KeyRevocation && !MayBeBy(PrimaryKey, s))];
        if (others.Length == 0)
        {
            return null;
        }

        ReadOnlyMemory<byte>[] revokers = [.. Certificate.DirectSignatures
            .Where(s => s.Type == SignatureType.DirectKey && s.RevocationKeys.Any() && MayBeBy(PrimaryKey, s) && Spend() && VerifyDirect(s))
            .SelectMany(s => s.RevocationKeys)];
        SignaturePacket? claimed = others.FirstOrDefault(s => revokers.Any(r => IsNamed(r.Span, s)));
        return claimed is null ? null : Revocation.From(claimed) with { IsClaimed = true };

        static bool IsNamed(ReadOnlySpan<byte> fingerprint, SignaturePacket signature) =>
            (signature.IssuerFingerprint is { } issuer && issuer.Span.SequenceEqual(fingerprint))
            || (signature.IssuerKeyId is { } id && fingerprint.Length == 20 && BinaryPrimitives.ReadUInt64BigEndian(fingerprint[12..]) == id);
    }

    private bool VerifyDirect(SignaturePacket signature) => Certificate.Verifies(signature, s => CertificationDigest.VerifyOverKey(PrimaryKey, s, PrimaryKey));

    /// <summary>Whether hints and algorithm allow that a key made a signature; saves work on the signatures of others.</summary>
    private static bool MayBeBy(KeyPacket key, SignaturePacket signature) =>
        signature.Algorithm == key.Material.Algorithm
        && ((signature.IssuerKeyId is null && signature.IssuerFingerprint is null) || key.IsNamedBy(signature));

    private static bool IsCertification(SignaturePacket signature) =>
        signature.Type is >= SignatureType.GenericCertification and <= SignatureType.PositiveCertification;

    private static string WeakHashNote(IEnumerable<SignaturePacket> signatures)
    {
        SignaturePacket? weak = signatures.FirstOrDefault(s => OpenPgpHash.FindStrong(s.Hash) is null);
        return weak is null ? "" : $" ({OpenPgpHash.Describe(weak.Hash)} does not count)";
    }

    private bool Spend() => ++_verifications <= MaxVerifications;
}
