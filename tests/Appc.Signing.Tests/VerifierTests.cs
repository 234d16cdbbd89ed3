using Appc.Manifests;
using Appc.Signing.Tests.Support;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Signing.Tests;

/// <summary>The verifier as its callers see it.</summary>
public sealed class VerifierTests : IDisposable
{
    private static readonly byte[] Image = "the bytes of an image"u8.ToArray();
    private static readonly AcIdentifier App = AcIdentifier.Parse("example.com/app");

    private readonly Forge _key = Forge.NewKey();
    private readonly TempDirectory _directory = new();
    private readonly LogRecorder _log = new();

    [Fact]
    public async Task Unknown_key_is_refused_before_the_image_with_the_key_and_what_to_do()
    {
        await Keystore().TrustAsync(Forge.NewKey().Certificate(), null);
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => BeginAsync(_key.Sign(Image), App));
        Assert.Equal(TrustFailure.UnknownKey, e.Failure);
        Assert.Contains($"{_key.Key.KeyId:x16}", e.Message, StringComparison.Ordinal);
        Assert.Contains("appc trust add --prefix example.com/app KEYFILE", e.Hint, StringComparison.Ordinal);
        Assert.Contains(_log.Entries, l => l is { Id: 4006, Level: LogLevel.Warning });
    }

    [Fact]
    public async Task Key_of_another_prefix_is_refused_before_the_image_with_its_prefixes()
    {
        await Keystore().TrustAsync(_key.Certificate(), "example.com/ap");
        await Keystore().TrustAsync(_key.Certificate(), "example.com/app/below");
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => BeginAsync(_key.Sign(Image), App));
        Assert.Equal(TrustFailure.WrongPrefix, e.Failure);
        Assert.Contains("example.com/ap, example.com/app/below", e.Message, StringComparison.Ordinal);
        Assert.Contains(_key.Key.Fingerprint, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("example.com/foo", "example.com/foo", true)]
    [InlineData("example.com/foo", "example.com/foo/bar", true)]
    [InlineData("example.com/foo", "example.com/foobar", false)]
    [InlineData("example.com/foo", "example.com/fo", false)]
    [InlineData("example.com/foo", "example.com", false)]
    [InlineData("example.com", "example.com/foo", true)]
    [InlineData("example.com", "example.com-evil.org/foo", false)]
    [InlineData(null, "anything.org/at/all", true)]
    public async Task Prefix_ends_at_a_component(string? prefix, string name, bool trusted)
    {
        await Keystore().TrustAsync(_key.Certificate(), prefix);
        Assert.Equal(trusted ? null : TrustFailure.WrongPrefix, (await Verifier().RefusalAsync(Image, _key.Sign(Image), name))?.Failure);

        // Without a name every key is a candidate, and the verdict tells what it is good for.
        SignatureVerdict verdict = await Verifier().VerifyAsync(Image, _key.Sign(Image), null);
        Assert.Equal(trusted, verdict.SignerFor(AcIdentifier.Parse(name)) is not null);
    }

    [Fact]
    public async Task Verdict_reports_the_most_specific_scope()
    {
        foreach (string? prefix in (string?[])[null, "example.com", "example.com/app"])
        {
            await Keystore().TrustAsync(_key.Certificate(), prefix);
        }

        SignatureSigner signer = Assert.Single((await Verifier().VerifyAsync(Image, _key.Sign(Image), "example.com/app/x")).Signers);
        Assert.Equal(["", "example.com", "example.com/app"], signer.Scopes);
        Assert.Equal("example.com/app", signer.ScopeFor(AcIdentifier.Parse("example.com/app/x")));
        Assert.Equal("example.com", signer.ScopeFor(AcIdentifier.Parse("example.com/apple")));
        Assert.Equal("", signer.ScopeFor(AcIdentifier.Parse("other.org")));
        Assert.Equal("forged", signer.UserId);
        Assert.Equal("Ed25519/SHA512", signer.Algorithm);
        Assert.Contains(_log.Entries, l => l is { Id: 4005, Level: LogLevel.Information });
    }

    [Fact]
    public async Task Only_signers_that_are_trusted_for_the_name_count()
    {
        Forge neighbour = Forge.NewKey();
        await Keystore().TrustAsync(_key.Certificate(), "example.com/app");
        await Keystore().TrustAsync(neighbour.Certificate(), "example.com/neighbour");
        byte[] both = [.. neighbour.Sign(Image), .. _key.Sign(Image)];
        Assert.Equal(_key.Key.Fingerprint, Assert.Single((await Verifier().VerifyAsync(Image, both, "example.com/app")).Signers).Fingerprint);
        Assert.Equal(2, (await Verifier().VerifyAsync(Image, both, null)).Signers.Count);
    }

    [Fact]
    public async Task Scope_with_an_outdated_copy_of_the_key_does_not_fall_back_to_a_wider_one()
    {
        byte[] year = Forge.Sub(Packets.SubpacketType.KeyExpirationTime, Forge.Time(DateTimeOffset.UnixEpoch.AddDays(365)));
        await Keystore().TrustAsync(_key.Certificate(), null);
        await Keystore().TrustAsync(_key.Certificate(year), "example.com/app");
        Assert.Equal(TrustFailure.KeyNotUsable, (await Verifier().RefusalAsync(Image, _key.Sign(Image), "example.com/app"))?.Failure);
        SignatureVerdict verdict = await Verifier().VerifyAsync(Image, _key.Sign(Image), null);
        Assert.Null(verdict.SignerFor(App));
        Assert.NotNull(verdict.SignerFor(AcIdentifier.Parse("example.com")));
    }

    [Fact]
    public async Task Two_keys_with_one_id_are_both_tried()
    {
        // Ids are 64 bits and can be made to collide; here two copies of a subkey hang on two primary keys.
        // The one that did not acknowledge its primary key is the first to be tried.
        Forge[] primaries = [.. ((Forge[])[Forge.NewKey(), Forge.NewKey()]).OrderBy(k => k.Key.Fingerprint, StringComparer.Ordinal)];
        Forge first = primaries[0];
        Forge second = primaries[1];
        Forge shared = Forge.NewKey();
        byte[] sign = Forge.Sub(Packets.SubpacketType.KeyFlags, 2);
        await Keystore().TrustAsync([.. first.Certificate(), .. first.Bind(shared, null, subpackets: sign)], null);
        await Keystore().TrustAsync([.. second.Certificate(), .. second.Bind(shared, shared.Back(second.Key), subpackets: sign)], null);
        SignatureVerdict verdict = await Verifier().VerifyAsync(Image, shared.Sign(Image), "a");
        Assert.Equal(second.Key.Fingerprint, Assert.Single(verdict.Signers).PrimaryFingerprint);
    }

    [Fact]
    public async Task Empty_keystore_says_where_it_looked()
    {
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => BeginAsync(_key.Sign(Image), null));
        Assert.Equal(TrustFailure.UnknownKey, e.Failure);
        Assert.Contains(_directory.Path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_is_used_once()
    {
        await Keystore().TrustAsync(_key.Certificate(), null);
        ISignatureCheck check = await BeginAsync(_key.Sign(Image), App);
        check.Append(Image);
        Assert.NotEmpty(check.Complete().Signers);
        Assert.Throws<InvalidOperationException>(() => check.Append(Image));
        Assert.Throws<InvalidOperationException>(check.Complete);
        check.Dispose();
        check.Dispose();
        Assert.Throws<ObjectDisposedException>(check.Complete);
    }

    [Fact]
    public async Task Keys_are_read_anew_for_each_image()
    {
        await Keystore().TrustAsync(_key.Certificate(), null);
        OpenPgpVerifier verifier = Verifier();
        Assert.Null(await verifier.RefusalAsync(Image, _key.Sign(Image), "a"));
        await Keystore().RemoveAsync(_key.Key.Fingerprint, null);
        Assert.Equal(TrustFailure.UnknownKey, (await verifier.RefusalAsync(Image, _key.Sign(Image), "a"))?.Failure);
    }

    [Fact]
    public async Task Cancelled_call_stops() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Verifier().BeginAsync(new MemoryStream(_key.Sign(Image)), App, new CancellationToken(canceled: true)));

    [Fact]
    public async Task Many_verifications_at_once_agree()
    {
        await Keystore().TrustAsync(_key.Certificate(), "example.com");
        OpenPgpVerifier verifier = Verifier();
        byte[] good = _key.Sign(Image);
        TrustException?[] outcomes = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(
            () => verifier.RefusalAsync(Image, i % 2 == 0 ? good : _key.Sign("other"u8.ToArray()), "example.com/app"))));
        Assert.All(outcomes.Index(), o => Assert.Equal(o.Index % 2 == 0 ? null : TrustFailure.BadSignature, o.Item?.Failure));
    }

    public void Dispose() => _directory.Dispose();

    private Keystore Keystore() => Verification.NewKeystore(_directory.Path);

    private OpenPgpVerifier Verifier() => new(Keystore(), loggerFactory: _log);

    private Task<ISignatureCheck> BeginAsync(byte[] signature, AcIdentifier? name) => Verifier().BeginAsync(new MemoryStream(signature), name);
}
