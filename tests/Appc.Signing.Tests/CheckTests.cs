using Appc.Signing.Packets;
using Appc.Signing.Tests.Support;
using Appc.Trust;
using Microsoft.Extensions.Time.Testing;

namespace Appc.Signing.Tests;

/// <summary>
/// Each check of the verifier by itself: a sound case, and one that differs from it in the one thing that the
/// check is about. docs/trust.md maps the checks to these tests.
/// </summary>
public sealed class CheckTests
{
    private const int Sha1 = 2;
    private const int Sha256 = 8;
    private const int Sha512 = 10;
    private const byte CertifyFlag = 1;
    private const byte SignFlag = 2;
    private const byte EncryptFlag = 4;

    private static readonly byte[] Image = "the bytes of an image"u8.ToArray();
    private static readonly DateTimeOffset Start = Forge.KeyTime;
    private static readonly DateTimeOffset Now = Start.AddYears(2);
    private static readonly byte[] SignSubpacket = Forge.Sub(SubpacketType.KeyFlags, SignFlag);

    private readonly Forge _key = Forge.NewKey();
    private readonly Forge _subkey = Forge.NewKey();

    // 1. Form: type, version, hash, critical subpackets.

    [Fact]
    public Task Check_1_sound_forged_signature_is_good() => Good(_key.Certificate(), _key.Sign(Image));

    [Theory]
    [InlineData(0x01)]
    [InlineData(0x02)]
    [InlineData(0x10)]
    [InlineData(0x18)]
    [InlineData(0x50)]
    public Task Check_1_only_signatures_over_binary_files_count(int type) => Refused(
        TrustFailure.SignatureNotAcceptable, _key.Certificate(), Signed(type: (SignatureType)type));

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public Task Check_1_version_must_be_that_of_the_key(int version) => Refused(
        version == 6 ? TrustFailure.SignatureNotAcceptable : TrustFailure.MalformedSignature, _key.Certificate(),
        _key.Sign(SignatureType.Binary, Image, Now, Sha512, [], [Issuer(_key.Key)], version: version, issuer: false));

    [Fact]
    public Task Check_1_version_3_is_refused()
    {
        byte[] old = [3, 5, 0, .. Forge.Time(Start), .. _key.Key.FingerprintBytes[12..], 22, Sha512, 0, 0, 0, 1, 1, 0, 1, 1];
        return Refused(TrustFailure.SignatureNotAcceptable, _key.Certificate(), Packet.Write(PacketTag.Signature, old));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(Sha1, false)]
    [InlineData(3, false)]
    [InlineData(11, false)]
    [InlineData(Sha256, true)]
    [InlineData(9, true)]
    [InlineData(Sha512, true)]
    public async Task Check_1_only_strong_hashes_count(int hash, bool good)
    {
        byte[] signature = _key.Sign(SignatureType.Binary, Image, Start.AddDays(1), hash, []);
        if (good)
        {
            await Good(_key.Certificate(), signature);
        }
        else
        {
            await Refused(TrustFailure.SignatureNotAcceptable, _key.Certificate(), signature);
        }
    }

    [Theory]
    [InlineData(20)]
    [InlineData(38)]
    [InlineData(100)]
    [InlineData(127)]
    public Task Check_1_critical_subpackets_that_nobody_knows_refuse(int type) => Refused(
        TrustFailure.SignatureNotAcceptable, _key.Certificate(), _key.Sign(Image, null, Forge.Critical(type, 0, 0, 0, 0, 0, 0, 0, 0)));

    [Fact]
    public async Task Check_1_critical_subpackets_that_are_known_and_unknown_ones_that_are_not_critical_are_fine()
    {
        await Good(_key.Certificate(), _key.Sign(Image, null, Forge.Critical((int)SubpacketType.ExpirationTime, 0, 0, 0, 0)));
        await Good(_key.Certificate(), _key.Sign(Image, null, Forge.Sub((SubpacketType)100, 1, 2, 3)));
    }

    [Fact]
    public Task Check_1_time_of_signature_must_be_stated_in_the_hashed_area() => Refused(
        TrustFailure.SignatureNotAcceptable, _key.Certificate(),
        _key.Sign(SignatureType.Binary, Image, null, Sha512, [], [Forge.Sub(SubpacketType.CreationTime, Forge.Time(Start))]));

    [Fact]
    public Task Check_1_contradicting_subpackets_refuse() => Refused(
        TrustFailure.MalformedSignature, _key.Certificate(),
        _key.Sign(Image, null, Forge.Sub(SubpacketType.CreationTime, Forge.Time(Start))));

    // 2. The key: found by id, proven by fingerprint and by arithmetic.

    [Fact]
    public async Task Check_2_fingerprint_of_the_issuer_must_be_that_of_the_key()
    {
        await Good(_key.Certificate(), _key.Sign(Image, null, Issuer(_key.Key)));
        await Refused(TrustFailure.SignatureNotAcceptable, _key.Certificate(), _key.Sign(Image, null, Issuer(_subkey.Key)));
    }

    [Fact]
    public Task Check_2_signature_without_issuer_is_by_nobody() => Refused(
        TrustFailure.UnknownKey, _key.Certificate(), _key.Sign(SignatureType.Binary, Image, Now, Sha512, [], issuer: false));

    [Fact]
    public Task Check_2_signature_by_a_stranger_that_names_a_trusted_key_is_bad()
    {
        byte[] id = _key.Key.FingerprintBytes[12..];
        byte[] signature = _subkey.Sign(SignatureType.Binary, Image, Now, Sha512, [], [Forge.Sub(SubpacketType.Issuer, id)], issuer: false);
        return Refused(TrustFailure.BadSignature, _key.Certificate(), signature);
    }

    [Fact]
    public async Task Check_2_trust_is_by_primary_fingerprint()
    {
        SignatureVerdict verdict = await Good(
            [.. _key.Certificate(), .. _key.Bind(_subkey, _subkey.Back(_key.Key), subpackets: SignSubpacket)], _subkey.Sign(Image));
        Assert.Equal(_key.Key.Fingerprint, verdict.Signers[0].PrimaryFingerprint);
        Assert.Equal(_subkey.Key.Fingerprint, verdict.Signers[0].Fingerprint);
    }

    // 3. Algorithm.

    [Fact]
    public Task Check_3_algorithm_of_signature_and_key_must_agree() => Refused(
        TrustFailure.SignatureNotAcceptable, _key.Certificate(),
        _key.Sign(SignatureType.Binary, Image, Now, Sha512, [], algorithm: (int)KeyAlgorithm.Rsa));

    // 4. Subkeys.

    [Fact]
    public Task Check_4_bound_signing_subkey_is_good() => Good(
        [.. _key.Certificate(), .. _key.Bind(_subkey, _subkey.Back(_key.Key), subpackets: SignSubpacket)], _subkey.Sign(Image));

    [Fact]
    public Task Check_4_back_signature_in_the_hashed_area_is_good() => Good(
        [.. _key.Certificate(), .. _key.Bind(_subkey, null, subpackets: [SignSubpacket, Forge.Sub(SubpacketType.EmbeddedSignature, _subkey.Back(_key.Key))])],
        _subkey.Sign(Image));

    [Fact]
    public Task Check_4_binding_by_another_key_does_not_bind()
    {
        Forge stranger = Forge.NewKey();
        return Refused(
            TrustFailure.KeyNotUsable,
            [.. _key.Certificate(), .. stranger.Bind(_subkey, _subkey.Back(stranger.Key), subpackets: SignSubpacket)], _subkey.Sign(Image));
    }

    [Fact]
    public async Task Check_4_binding_that_only_claims_to_be_by_the_primary_key_does_not_bind()
    {
        // The owner of the subkey plays along: all that is missing is the primary key's own word.
        byte[] id = Forge.Sub(SubpacketType.Issuer, _key.Key.FingerprintBytes[12..]);
        byte[] over = [.. _key.Key.HashPrefix(), .. _key.Key.Body.Span, .. _subkey.Key.HashPrefix(), .. _subkey.Key.Body.Span];
        byte[] back = Forge.Sub(SubpacketType.EmbeddedSignature, _subkey.Back(_key.Key));
        foreach (byte[][] hints in (byte[][][])[[id, back], [back]])
        {
            byte[] binding = _subkey.Sign(SignatureType.SubkeyBinding, over, Start, Sha512, [SignSubpacket], hints, issuer: false);
            await Refused(TrustFailure.KeyNotUsable, [.. _key.Certificate(), .. _subkey.AsSubkey, .. binding], _subkey.Sign(Image));
        }
    }

    [Fact]
    public Task Check_4_subkey_without_sign_flag_does_not_sign() => Refused(
        TrustFailure.KeyNotUsable,
        [.. _key.Certificate(), .. _key.Bind(_subkey, _subkey.Back(_key.Key), subpackets: Forge.Sub(SubpacketType.KeyFlags, EncryptFlag))],
        _subkey.Sign(Image));

    [Fact]
    public Task Check_4_subkey_without_flags_does_not_sign() => Refused(
        TrustFailure.KeyNotUsable, [.. _key.Certificate(), .. _key.Bind(_subkey, _subkey.Back(_key.Key))], _subkey.Sign(Image));

    [Fact]
    public Task Check_4_subkey_without_back_signature_does_not_sign() => Refused(
        TrustFailure.KeyNotUsable, [.. _key.Certificate(), .. _key.Bind(_subkey, null, subpackets: SignSubpacket)], _subkey.Sign(Image));

    [Fact]
    public async Task Check_4_back_signature_must_be_by_the_subkey_over_this_primary_key()
    {
        Forge stranger = Forge.NewKey();
        foreach (byte[] back in (byte[][])[_subkey.Back(stranger.Key), stranger.Back(_key.Key), _subkey.Back(_key.Key, hash: Sha1), [1, 2, 3]])
        {
            await Refused(
                TrustFailure.KeyNotUsable, [.. _key.Certificate(), .. _key.Bind(_subkey, back, subpackets: SignSubpacket)], _subkey.Sign(Image));
        }
    }

    [Fact]
    public async Task Check_4_newest_valid_binding_counts()
    {
        byte[] back = _subkey.Back(_key.Key);
        byte[] older = _key.Bind(_subkey, back, Start.AddDays(1), subpackets: SignSubpacket);
        byte[] newer = Packet.ReadAll(_key.Bind(_subkey, back, Start.AddDays(2), subpackets: Forge.Sub(SubpacketType.KeyFlags, EncryptFlag)))[1].Whole.ToArray();
        byte[] foreign = Packet.ReadAll(Forge.NewKey().Bind(_subkey, back, Start.AddDays(3), subpackets: Forge.Sub(SubpacketType.KeyFlags, EncryptFlag)))[1].Whole.ToArray();
        await Refused(TrustFailure.KeyNotUsable, [.. _key.Certificate(), .. older, .. newer], _subkey.Sign(Image));
        await Good([.. _key.Certificate(), .. older, .. foreign], _subkey.Sign(Image));
    }

    [Theory]
    [InlineData(Sha1)]
    [InlineData(1)]
    public Task Check_4_binding_with_a_weak_hash_does_not_bind(int hash) => Refused(
        TrustFailure.KeyNotUsable,
        [.. _key.Certificate(), .. _key.Bind(_subkey, _subkey.Back(_key.Key), hash: hash, subpackets: SignSubpacket)], _subkey.Sign(Image));

    // 5. The primary key: self-signature, flags, lifetime.

    [Fact]
    public async Task Check_5_key_without_a_valid_self_signature_is_not_usable()
    {
        byte[] naked = [.. _key.Primary, .. Forge.UserId("forged")];
        await Refused(TrustFailure.KeyNotUsable, naked, _key.Sign(Image));
        await Refused(TrustFailure.KeyNotUsable, [.. naked, .. _key.SelfSign("another user")], _key.Sign(Image));
        await Refused(TrustFailure.KeyNotUsable, [.. naked, .. Forge.NewKey().SelfSign("forged")], _key.Sign(Image));
        TrustException weak = await Refused(TrustFailure.KeyNotUsable, [.. naked, .. _key.SelfSign("forged", hash: Sha1)], _key.Sign(Image));
        Assert.Contains("SHA1", weak.Message, StringComparison.Ordinal);
        await Refused(TrustFailure.KeyNotUsable, [.. naked, .. _key.SelfSign("forged", subpackets: Forge.Critical(100))], _key.Sign(Image));
        await Refused(TrustFailure.KeyNotUsable, [.. naked, .. _key.SelfSign("forged", created: Now.AddDays(1))], _key.Sign(Image));
        await Refused(TrustFailure.KeyNotUsable, [.. naked, .. _key.SelfSign("forged", subpackets: Forge.Sub(SubpacketType.ExpirationTime, 0, 0, 0, 60))], _key.Sign(Image));
    }

    [Theory]
    [InlineData(0x10)]
    [InlineData(0x11)]
    [InlineData(0x12)]
    [InlineData(0x13)]
    public Task Check_5_every_kind_of_certification_is_a_self_signature(int type) => Good(
        [.. _key.Primary, .. Forge.UserId("forged"), .. _key.SelfSign("forged", (SignatureType)type)], _key.Sign(Image));

    [Fact]
    public Task Check_5_direct_key_signature_is_a_self_signature() => Good(
        [.. _key.Primary, .. _key.SignKeys(SignatureType.DirectKey, Start, [_key.Key])], _key.Sign(Image));

    [Fact]
    public async Task Check_5_stated_flags_of_the_primary_key_must_allow_signing()
    {
        await Good(_key.Certificate(Forge.Sub(SubpacketType.KeyFlags, CertifyFlag | SignFlag)), _key.Sign(Image));
        await Refused(TrustFailure.KeyNotUsable, _key.Certificate(Forge.Sub(SubpacketType.KeyFlags, CertifyFlag)), _key.Sign(Image));
        await Refused(TrustFailure.KeyNotUsable, _key.Certificate(Forge.Sub(SubpacketType.KeyFlags)), _key.Sign(Image));
    }

    [Fact]
    public async Task Check_5_expired_key_is_refused_also_for_signatures_made_before()
    {
        byte[] year = Forge.Sub(SubpacketType.KeyExpirationTime, Seconds(TimeSpan.FromDays(365)));
        await Good(_key.Certificate(year), _key.Sign(Image, Start.AddDays(100)), Start.AddDays(364));
        await Refused(TrustFailure.KeyNotUsable, _key.Certificate(year), _key.Sign(Image, Start.AddDays(100)), Start.AddDays(365));
        await Good(_key.Certificate(Forge.Sub(SubpacketType.KeyExpirationTime, 0, 0, 0, 0)), _key.Sign(Image));
    }

    [Fact]
    public async Task Check_5_newest_self_signature_extends_or_shortens_the_life_of_a_key()
    {
        byte[] year = Forge.Sub(SubpacketType.KeyExpirationTime, Seconds(TimeSpan.FromDays(365)));
        byte[] decade = Forge.Sub(SubpacketType.KeyExpirationTime, Seconds(TimeSpan.FromDays(3650)));
        byte[] extended = [.. _key.Certificate(year), .. _key.SelfSign("forged", created: Start.AddDays(10), subpackets: decade)];
        byte[] shortened = [.. _key.Certificate(decade), .. _key.SelfSign("forged", created: Start.AddDays(10), subpackets: year)];
        byte[] notByTheKey = [.. _key.Certificate(year), .. Forge.NewKey().SelfSign("forged", created: Start.AddDays(10), subpackets: decade)];
        byte[] notHashed = [.. _key.Primary, .. Forge.UserId("forged"), .. Forge_UnhashedExpiry(year)];
        await Good(extended, _key.Sign(Image, Start.AddDays(100)));
        await Refused(TrustFailure.KeyNotUsable, shortened, _key.Sign(Image, Start.AddDays(100)));
        await Refused(TrustFailure.KeyNotUsable, notByTheKey, _key.Sign(Image, Start.AddDays(100)));
        await Good(notHashed, _key.Sign(Image, Start.AddDays(100)));

        byte[] Forge_UnhashedExpiry(byte[] subpacket)
        {
            byte[] id = "forged"u8.ToArray();
            byte[] data = [.. _key.Key.HashPrefix(), .. _key.Key.Body.Span, 0xB4, 0, 0, 0, (byte)id.Length, .. id];
            return _key.Sign(SignatureType.PositiveCertification, data, Start, Sha512, [], [subpacket]);
        }
    }

    [Fact]
    public async Task Check_5_newest_self_signature_of_all_user_ids_counts()
    {
        byte[] year = Forge.Sub(SubpacketType.KeyExpirationTime, Seconds(TimeSpan.FromDays(365)));
        byte[] decade = Forge.Sub(SubpacketType.KeyExpirationTime, Seconds(TimeSpan.FromDays(3650)));
        byte[] Ring(byte[] older, byte[] newer, bool newerFirst)
        {
            byte[] a = [.. Forge.UserId("a"), .. _key.SelfSign("a", created: Start, subpackets: older)];
            byte[] b = [.. Forge.UserId("b"), .. _key.SelfSign("b", created: Start.AddDays(10), subpackets: newer)];
            return [.. _key.Primary, .. newerFirst ? b : a, .. newerFirst ? a : b];
        }

        foreach (bool newerFirst in (bool[])[true, false])
        {
            await Good(Ring(year, decade, newerFirst), _key.Sign(Image, Start.AddDays(100)));
            await Refused(TrustFailure.KeyNotUsable, Ring(decade, year, newerFirst), _key.Sign(Image, Start.AddDays(100)));
        }
    }

    [Fact]
    public async Task Check_5_subkey_expires_with_its_own_binding_and_with_its_primary_key()
    {
        byte[] year = Forge.Sub(SubpacketType.KeyExpirationTime, Seconds(TimeSpan.FromDays(365)));
        byte[] back = _subkey.Back(_key.Key);
        await Refused(TrustFailure.KeyNotUsable, [.. _key.Certificate(), .. _key.Bind(_subkey, back, subpackets: [SignSubpacket, year])], _subkey.Sign(Image, Start.AddDays(9)));
        await Refused(TrustFailure.KeyNotUsable, [.. _key.Certificate(year), .. _key.Bind(_subkey, back, subpackets: SignSubpacket)], _subkey.Sign(Image, Start.AddDays(9)));
    }

    [Fact]
    public async Task Check_5_signature_must_not_be_older_than_its_key()
    {
        Forge young = Forge.NewKey(created: Start.AddYears(1));
        byte[] ring = [.. young.Primary, .. Forge.UserId("forged"), .. young.SelfSign("forged", created: Start.AddYears(1))];
        await Good(ring, young.Sign(Image, Start.AddYears(1)));
        await Refused(TrustFailure.SignatureNotAcceptable, ring, young.Sign(Image, Start.AddYears(1).AddSeconds(-1)));

        // A subkey may be older than the primary key that adopted it; what it signed before is not that key's.
        byte[] adopted = [.. ring, .. young.Bind(_subkey, _subkey.Back(young.Key, Start.AddYears(1)), Start.AddYears(1), subpackets: SignSubpacket)];
        await Good(adopted, _subkey.Sign(Image, Start.AddYears(1)));
        await Refused(TrustFailure.SignatureNotAcceptable, adopted, _subkey.Sign(Image, Start.AddDays(1)));
    }

    [Fact]
    public Task Check_5_signature_must_not_be_younger_than_the_end_of_its_key()
    {
        // Only within the tolerance for clocks can a signature be after the end while now is before it.
        byte[] year = Forge.Sub(SubpacketType.KeyExpirationTime, Seconds(TimeSpan.FromDays(365)));
        return Refused(
            TrustFailure.SignatureNotAcceptable, _key.Certificate(year), _key.Sign(Image, Start.AddDays(365).AddSeconds(60)), Start.AddDays(365).AddSeconds(-60));
    }

    [Fact]
    public Task Check_5_key_from_the_future_is_not_usable()
    {
        Forge young = Forge.NewKey(created: Now.AddDays(1));
        return Refused(
            TrustFailure.KeyNotUsable, [.. young.Primary, .. Forge.UserId("forged"), .. young.SelfSign("forged", created: Now)], young.Sign(Image, Now));
    }

    [Fact]
    public async Task Check_5_subkey_of_an_algorithm_that_cannot_sign_is_not_usable()
    {
        byte[] body = [4, .. Forge.Time(Start), 28, .. new byte[57]]; // Ed448
        byte[] sound = [.. _key.Certificate(), .. Packet.Write(PacketTag.PublicSubkey, body)];
        byte[] id = KeyPacket.Read(body).FingerprintBytes[12..];
        await Good(sound, _key.Sign(Image));
        await Refused(
            TrustFailure.SignatureNotAcceptable, sound,
            _key.Sign(SignatureType.Binary, Image, Start, Sha512, [], [Forge.Sub(SubpacketType.Issuer, id)], issuer: false));
        await Refused(
            TrustFailure.KeyNotUsable, sound,
            _key.Sign(SignatureType.Binary, Image, Start, Sha512, [], [Forge.Sub(SubpacketType.Issuer, id)], issuer: false, algorithm: 28));
    }

    // 6. Revocations.

    [Theory]
    [InlineData(Sha512, 2)]
    [InlineData(Sha512, 1)]
    [InlineData(Sha1, 0)]
    [InlineData(3, 0)]
    [InlineData(11, 3)]
    public async Task Check_6_key_revoked_by_itself_is_not_usable_even_by_a_weak_hash(int hash, byte reason)
    {
        byte[] because = Forge.Sub(SubpacketType.RevocationReason, [reason, .. "lost\u001b[31m"u8]);
        byte[] revocation = _key.SignKeys(SignatureType.KeyRevocation, Start.AddDays(500), [_key.Key], hash, because);
        TrustException e = await Refused(TrustFailure.KeyNotUsable, Insert(_key.Certificate(), revocation), _key.Sign(Image, Start.AddDays(1)));
        Assert.Contains("lost?[31m", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task Check_6_critical_subpacket_does_not_void_a_revocation() => Refused(
        TrustFailure.KeyNotUsable,
        Insert(_key.Certificate(), _key.SignKeys(SignatureType.KeyRevocation, Start, [_key.Key], Sha512, Forge.Critical(100))), _key.Sign(Image));

    [Fact]
    public async Task Check_6_revocation_by_a_stranger_means_nothing()
    {
        Forge stranger = Forge.NewKey();
        byte[] id = _key.Key.FingerprintBytes[12..];
        byte[] over = [.. _key.Key.HashPrefix(), .. _key.Key.Body.Span];
        byte[] claimed = stranger.Sign(SignatureType.KeyRevocation, over, Start, Sha512, [], [Forge.Sub(SubpacketType.Issuer, id)], issuer: false);
        byte[] open = stranger.SignKeys(SignatureType.KeyRevocation, Start, [_key.Key]);
        await Good(Insert(_key.Certificate(), claimed, open), _key.Sign(Image));
    }

    [Fact]
    public async Task Check_6_revocation_in_the_name_of_a_designated_revoker_is_taken_at_its_word()
    {
        Forge revoker = Forge.NewKey();
        byte[] named = Forge.Sub(SubpacketType.RevocationKey, [0x80, 22, .. revoker.Key.FingerprintBytes]);
        byte[] naming = _key.SignKeys(SignatureType.DirectKey, Start, [_key.Key], Sha512, named);
        byte[] revocation = revoker.SignKeys(SignatureType.KeyRevocation, Start, [_key.Key]);
        byte[] signature = _key.Sign(Image);
        TrustException e = await Refused(TrustFailure.KeyNotUsable, Insert(_key.Certificate(), naming, revocation), signature);
        Assert.Contains("in the name of a key that its owner lets revoke it", e.Message, StringComparison.Ordinal);

        // Named, but silent; another one speaks; only others say that it was named.
        await Good(Insert(_key.Certificate(), naming), signature);
        await Good(Insert(_key.Certificate(), naming, Forge.NewKey().SignKeys(SignatureType.KeyRevocation, Start, [_key.Key])), signature);
        await Good(Insert(_key.Certificate(), revoker.SignKeys(SignatureType.DirectKey, Start, [_key.Key], Sha512, named), revocation), signature);
    }

    [Fact]
    public async Task Check_6_subkey_revoked_by_its_primary_key_is_not_usable()
    {
        byte[] sound = [.. _key.Certificate(), .. _key.Bind(_subkey, _subkey.Back(_key.Key), subpackets: SignSubpacket)];
        byte[] revocation = _key.SignKeys(SignatureType.SubkeyRevocation, Start, [_key.Key, _subkey.Key]);
        byte[] foreign = _subkey.SignKeys(SignatureType.SubkeyRevocation, Start, [_key.Key, _subkey.Key]);
        await Refused(TrustFailure.KeyNotUsable, [.. sound, .. revocation], _subkey.Sign(Image));
        await Good([.. sound, .. foreign], _subkey.Sign(Image));
        await Good([.. sound, .. revocation], _key.Sign(Image));
    }

    [Fact]
    public async Task Check_6_revoked_user_id_does_not_vouch_for_a_key()
    {
        byte[] Revoke(DateTimeOffset when) => _key.SelfSign("forged", SignatureType.CertificationRevocation, when);
        await Refused(TrustFailure.KeyNotUsable, [.. _key.Certificate(), .. Revoke(Start.AddDays(1))], _key.Sign(Image));
        await Good([.. _key.Certificate(), .. Revoke(Start.AddDays(1)), .. _key.SelfSign("forged", created: Start.AddDays(2))], _key.Sign(Image));
        await Good([.. _key.Certificate(), .. Revoke(Start.AddDays(1)), .. Forge.UserId("b"), .. _key.SelfSign("b")], _key.Sign(Image));
    }

    [Fact]
    public Task Check_6_key_stuffed_with_false_signatures_is_refused_in_bounded_time()
    {
        // Each one must be tried, for it may be the revocation; beyond a bound the key is given up.
        byte[] over = [.. _key.Key.HashPrefix(), .. _key.Key.Body.Span];
        Forge stranger = Forge.NewKey();
        byte[] one = stranger.Sign(SignatureType.KeyRevocation, over, Start, Sha512, [], [Forge.Sub(SubpacketType.Issuer, _key.Key.FingerprintBytes[12..])], issuer: false);
        return Refused(TrustFailure.KeyNotUsable, Insert(_key.Certificate(), [.. Enumerable.Repeat(one, 600)]), _key.Sign(Image));
    }

    // 7. Time of the signature.

    [Fact]
    public async Task Check_7_expired_signature_is_refused()
    {
        byte[] lifetime = Forge.Sub(SubpacketType.ExpirationTime, Seconds(TimeSpan.FromDays(10)));
        byte[] signature = _key.Sign(Image, Start.AddDays(100), lifetime);
        await Good(_key.Certificate(), signature, Start.AddDays(109.9));
        await Refused(TrustFailure.SignatureNotAcceptable, _key.Certificate(), signature, Start.AddDays(110));
    }

    [Fact]
    public async Task Check_7_signature_from_the_future_is_refused_beyond_the_tolerance()
    {
        await Good(_key.Certificate(), _key.Sign(Image, Now.AddMinutes(4)));
        await Refused(TrustFailure.SignatureNotAcceptable, _key.Certificate(), _key.Sign(Image, Now.AddMinutes(6)));
    }

    // 8. Several signatures.

    [Fact]
    public async Task Check_8_one_good_signature_is_enough_and_all_good_ones_are_reported()
    {
        Forge other = Forge.NewKey();
        byte[] ring = [.. _key.Certificate(), .. other.Certificate()];
        byte[] bad = _key.Sign("other bytes"u8.ToArray());
        byte[] strange = Forge.NewKey().Sign(Image);
        byte[] damaged = Packet.Write(PacketTag.Signature, [4, 0, 22, 10, 0, 9, 1, 2]);
        Assert.Equal(2, (await Good(ring, [.. bad, .. strange, .. damaged, .. _key.Sign(Image), .. other.Sign(Image), .. _key.Sign(Image)])).Signers.Count);
        await Refused(TrustFailure.BadSignature, ring, [.. strange, .. bad, .. damaged]);
        await Refused(TrustFailure.UnknownKey, ring, [.. strange, .. damaged]);
    }

    [Fact]
    public Task Check_8_number_of_signatures_is_bounded() => Refused(
        TrustFailure.MalformedSignature, _key.Certificate(), [.. Enumerable.Repeat(_key.Sign(Image), 33).SelectMany(s => s)]);

    // 9. The file. (Armor and packets have tests of their own.)

    [Fact]
    public async Task Check_9_file_beyond_the_bound_is_not_read()
    {
        byte[] Padded(int bytes) => [.. _key.Sign(Image), .. Packet.Write(PacketTag.Padding, new byte[bytes])];
        await Good(_key.Certificate(), Padded(1000));
        TrustException e = await Refused(TrustFailure.MalformedSignature, _key.Certificate(), Padded(1 << 20));
        Assert.Contains("larger", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(11)]
    [InlineData(6)]
    [InlineData(5)]
    [InlineData(13)]
    public async Task Check_9_file_with_anything_but_signatures_is_refused(int tag)
    {
        byte[] other = Packet.Write((PacketTag)tag, [1, 2, 3]);
        await Refused(TrustFailure.MalformedSignature, _key.Certificate(), [.. other, .. _key.Sign(Image)]);
        await Refused(TrustFailure.MalformedSignature, _key.Certificate(), [.. _key.Sign(Image), .. other]);
    }

    // Both forms of Ed25519, and version 6.

    [Fact]
    public async Task Newer_form_of_ed25519_and_version_6_are_good()
    {
        Forge newer = Forge.NewKey(KeyAlgorithm.Ed25519);
        Assert.Equal("Ed25519/SHA512", (await Good(newer.Certificate(), newer.Sign(Image))).Signers[0].Algorithm);

        Forge six = Forge.NewKey(KeyAlgorithm.Ed25519, version: 6);
        byte[] ring = [.. six.Primary, .. six.SignKeys(SignatureType.DirectKey, Start, [six.Key], Sha512, SignSubpacket)];
        Assert.Equal(64, (await Good(ring, six.Sign(Image))).Signers[0].Fingerprint.Length);
        await Refused(
            TrustFailure.SignatureNotAcceptable, ring, six.Sign(SignatureType.Binary, Image, Start, Sha512, [], saltBytes: 16));
    }

    [Fact]
    public async Task Version_6_certificate_of_the_standard_is_read()
    {
        // RFC 9580, A.3 and the secret of A.4.
        byte[] ring = Convert.FromBase64String(
            "xioGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laPCsQYfGwoAAABCBYJjh3/jAwsJBwUVCg4IDAIWAAKbAwIeCSIhBssYbE8GCaaX5NUt+mxy"
            + "KwwfHifBilZwj2Ul7Ce62azJBScJAgcCAAAAAK0oIBA+LX0ifsDm185Ecds2v8lwgyU2kCcUmKfvBXbAf6rhRYWzuQOwEn7E/aLwIwRaLsdry0+VcallHhSu4RN6HWaE"
            + "QsiPlR4zxP/TP7mhfVEe7XWPxtnMUMtf15OyA51YBM4qBmOHf+MZAAAAIIaTJINn+eUBXbki+PSAld2nhJh/LVmFsS+60WyvXkQ1wpsGGBsKAAAALAWCY4d/4wKbDCIh"
            + "BssYbE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce62azJAAAAAAQBIKbpGG2dWTX8j+VjFM21J0hqWlEg+bdiojWnKfA5AQpWUWtnNwDEM0g12vYxoWM8Y81W+bHBw805"
            + "I8kWVkXU6vFOi+HWvv/ira7ofJu16NnoUkhclkUrk0mXubZvyl4GBg==");
        Certificate certificate = Assert.Single(Certificate.ReadAll(ring));
        Assert.Equal("cb186c4f0609a697e4d52dfa6c722b0c1f1e27c18a56708f6525ec27bad9acc9", certificate.Fingerprint);
        byte[] seed = Convert.FromHexString("1972817b12be707e8d5f586ce61361201d344eb266a2c82fde6835762b65b0b7");
        var key = new Forge(certificate.Primary, new Org.BouncyCastle.Crypto.Parameters.Ed25519PrivateKeyParameters(seed));
        DateTimeOffset now = certificate.Primary.Created.AddYears(1);
        Assert.Equal(certificate.Fingerprint, (await Good(ring, key.Sign(Image, now), now)).Signers[0].PrimaryFingerprint);
    }

    private static byte[] Seconds(TimeSpan time) => Forge.Time(DateTimeOffset.UnixEpoch + time);

    private static byte[] Issuer(KeyPacket key) => Forge.Sub(SubpacketType.IssuerFingerprint, [(byte)key.Version, .. key.FingerprintBytes]);

    /// <summary>Puts packets behind the primary key of a ring.</summary>
    private static byte[] Insert(byte[] ring, params byte[][] packets)
    {
        int first = Packet.ReadAll(ring)[0].Whole.Length;
        return [.. ring[..first], .. packets.SelectMany(p => p), .. ring[first..]];
    }

    private byte[] Signed(SignatureType type) => _key.Sign(type, Image, Start.AddYears(1), Sha512, []);

    private static async Task<SignatureVerdict> Good(byte[] ring, byte[] signature, DateTimeOffset? now = null) =>
        await VerifyAsync(ring, signature, now);

    private static async Task<TrustException> Refused(TrustFailure failure, byte[] ring, byte[] signature, DateTimeOffset? now = null)
    {
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => VerifyAsync(ring, signature, now));
        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.True(failure == e.Failure, $"{e.Failure}: {e.Message}");
        return e;
    }

    private static async Task<SignatureVerdict> VerifyAsync(byte[] ring, byte[] signature, DateTimeOffset? now)
    {
        using var directory = new TempDirectory();
        var clock = new FakeTimeProvider(now ?? Now);
        Keystore keystore = Verification.NewKeystore(directory.Path, clock);
        await keystore.TrustAsync(ring, "example.com");
        return await new OpenPgpVerifier(keystore, timeProvider: clock).VerifyAsync(Image, signature, "example.com/app");
    }
}
